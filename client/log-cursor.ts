// Where a follower of a task's output stands: what it asks for after it was cut off, and which of the lines that come
// are new to it. Pure but for its own position. Must run in Node and in a browser.

import type { SubscribeRequest, TaskLogEvent } from '../shared/contracts/live.ts';
import type { LogLineBody } from '../shared/contracts/log-lines.ts';

export type LogStart = Omit<NonNullable<SubscribeRequest['logs']>, 'after'>;

export class LogCursor {
  readonly #start: LogStart;
  /** The last line that came, or the one before the first that was asked for. Null while that is not known. */
  #last: { attempt: number; seq: number } | null = null;
  #done = false;

  constructor(start: LogStart) {
    this.#start = start;
  }

  /** All that was asked for has come. */
  get done(): boolean {
    return this.#done;
  }

  /** What to ask for now. */
  ask(): NonNullable<SubscribeRequest['logs']> {
    const { attempt } = this.#start;
    if (!this.#last) return { ...this.#start };
    return attempt === undefined ? { after: this.#last } : { attempt, from: this.#last.seq + 1 };
  }

  /** The first answer came while the task was at this attempt: that is where the reading begins, also later on. */
  begun(currentAttempt: number): void {
    const { attempt, from, tail } = this.#start;
    if (this.#last || tail !== undefined) return;
    this.#last = { attempt: attempt ?? currentAttempt, seq: (from ?? 1) - 1 };
  }

  /** The lines of the event that did not come before; empty when all of them did. */
  take({ attempt, lines }: TaskLogEvent): readonly LogLineBody[] {
    const last = this.#last;
    if (this.#done || (last && attempt < last.attempt)) return [];
    const fresh = last?.attempt === attempt ? lines.filter(({ seq }) => seq > last.seq) : lines;
    const newest = fresh.at(-1);
    if (newest) this.#last = { attempt, seq: newest.seq };
    return fresh;
  }

  end(): void {
    this.#done = true;
  }
}
