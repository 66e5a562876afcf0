// What a follower of a task is told, in the order a person would tell it. One kind of view for each reader.

import type { TaskBody } from '../../shared/contracts/http.ts';
import type { TaskPartialEvent, TaskProgressBody, TaskUsageEvent } from '../../shared/contracts/live.ts';
import type { LogLineBody } from '../../shared/contracts/log-lines.ts';
import type { ExplainReply } from '../../shared/contracts/workers.ts';

export interface TaskView {
  /** It has moved; the end is not told here. Never before the output of an earlier attempt. */
  state(task: TaskBody): void;
  /** Why it waits; told again when that has changed. */
  waiting(reply: ExplainReply): void;
  progress(progress: TaskProgressBody): void;
  usage(usage: TaskUsageEvent): void;
  /** The line being written. */
  partial(partial: TaskPartialEvent): void;
  /** The API is away, and why; null once it is back. */
  connection(lost: string | null): void;
  /** Resolves when the next line may come. */
  line(line: LogLineBody, attempt: number): Promise<void>;
  /** The last that is told. */
  end(task: TaskBody): Promise<void>;
  /** Leaves the terminal in order, whatever happened. */
  close(): Promise<void>;
}
