// What is on its way to people who watch. Everything here is best effort and may vanish at any time: lines are in
// the log store first, changes in the record, and a watcher that missed something reads it there.

import type { LogLine } from '../model/log-line.ts';
import type { TaskProgress } from '../model/progress.ts';
import type { UsageSeries } from '../model/usage-series.ts';

/** Lines `firstSeq` to `lastSeq` of an attempt, which are in the log store already. */
export interface LogBatch {
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** Null when the lines are too many to travel this way: read them in the log store. */
  readonly lines: readonly LogLine[] | null;
}

/** New lines of attempts: a capped stream for each, written by the runner, tailed by any number of API copies. */
export interface LiveLogs {
  /** Never rejects. A repeat, or a batch that comes too late, is dropped. */
  publish(taskId: string, attempt: number, batch: LogBatch): Promise<void>;
  /**
   * Calls back with batches that reach beyond `after`, in order, until the returned function is called; what is in the
   * stream already comes first. There may be gaps (the stream is capped, Redis may be emptied): whoever listens
   * compares numbers, and looks into the log store now and then.
   */
  tail(
    taskId: string,
    attempt: number,
    after: number,
    handler: (batch: LogBatch) => void,
  ): Promise<() => Promise<void>>;
}

/** Sends events into the rooms of all API copies' sockets, from any process. Drops what cannot be sent at once. */
export interface RoomEmitter {
  emit(room: string, event: string, body: unknown): void;
}

/** The newest progress of tasks, for watchers that come later. Kept for a day at most. */
export interface ProgressBoard {
  /** Never rejects. */
  set(progress: TaskProgress): Promise<void>;
  /** What is known of these tasks, in any order. */
  get(taskIds: readonly string[]): Promise<TaskProgress[]>;
}

/** What attempts that run have used so far, for watchers that come later and for a runner that was restarted. */
export interface UsageBoard {
  /** Never rejects. Kept for an hour at most. */
  set(taskId: string, attempt: number, series: UsageSeries): Promise<void>;
  /** Null when nothing is known. */
  get(taskId: string, attempt: number): Promise<UsageSeries | null>;
}

/** A task with the number of attempts it has had. */
export interface TaskAttempts {
  readonly taskId: string;
  readonly attempts: number;
}

/** Whatever there is here of tasks whose record is about to go. */
export interface LiveTraces {
  /** Never rejects: what is left ends by itself within a day. */
  forget(tasks: readonly TaskAttempts[]): Promise<void>;
}
