// A followed task where there is no terminal: its output on its own streams, what happens to it as lines on standard
// error.

import type { TaskBody } from '../../shared/contracts/http.ts';
import type { TaskProgressBody } from '../../shared/contracts/live.ts';
import type { LogLineBody } from '../../shared/contracts/log-lines.ts';
import type { ExplainReply } from '../../shared/contracts/workers.ts';
import type { Session } from '../session.ts';
import { plain } from '../table.ts';
import { LineWriter } from './line-writer.ts';
import type { TaskView } from './task-view.ts';
import { endInWords, lastAttemptInWords, progressInWords, stateInWords, waitingInWords } from './words.ts';

export interface PlainOptions {
  /** False: the output alone, the end of an attempt and troubles. */
  readonly states: boolean;
  readonly output: boolean;
}

export class PlainView implements TaskView {
  readonly #session: Session;
  readonly #options: PlainOptions;
  readonly #lines: LineWriter;
  #phase = '';

  constructor(session: Session, options: PlainOptions) {
    this.#session = session;
    this.#options = options;
    this.#lines = new LineWriter(session.io);
  }

  state(task: TaskBody): void {
    const before = lastAttemptInWords(task);
    if (before !== null) this.#say(`${task.task_id} ${before}`);
    if (this.#options.states) this.#say(`${task.task_id} is ${stateInWords(task)}`);
  }

  waiting(reply: ExplainReply): void {
    if (this.#options.states) this.#say(`${reply.task_id} waits: ${waitingInWords(reply)}`);
  }

  /** What the program says of itself stands in its output; the runner's own steps would be silent. */
  progress(progress: TaskProgressBody): void {
    const { phase } = progress;
    if (phase === this.#phase) return;
    this.#phase = phase;
    if (this.#options.states && phase !== 'running') {
      this.#say(`${progress.task_id}: ${progressInWords({ ...progress, percent: null })}`);
    }
  }

  usage(): void {}

  partial(): void {}

  connection(lost: string | null): void {
    const { url } = this.#session;
    this.#say(
      lost === null ? `connected to ${url} again` : `the connection was lost (${plain(lost)}); trying again`,
    );
  }

  async line(line: LogLineBody, attempt: number): Promise<void> {
    if (this.#options.output) await this.#lines.write(line, attempt);
  }

  async end(task: TaskBody): Promise<void> {
    await this.#session.remark(endInWords(task, this.#session.io.now()));
  }

  async close(): Promise<void> {}

  #say(text: string): void {
    void this.#session.remark(text);
  }
}
