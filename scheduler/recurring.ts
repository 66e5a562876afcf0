// Something done again and again beside the turns of a term: one round at a time, each with a deadline. Nothing waits
// for it, and what goes wrong in it is told once in the log and costs the round alone.

import { AppError, messageOf } from '../shared/errors.ts';
import { withDeadline } from '../shared/platform/deadline.ts';
import type { Log } from '../shared/platform/log.ts';

export interface RecurringParts {
  readonly work: () => Promise<void>;
  /** From the end of a round to the begin of the next. */
  readonly everyMs: number;
  readonly deadlineMs: number;
  /** What is not so while it fails, for the log. */
  readonly fault: string;
  readonly log: Log;
}

export class Recurring {
  readonly #parts: RecurringParts;
  #timer: NodeJS.Timeout | null = null;
  #round: Promise<void> | null = null;
  #isFaulty = false;
  #stopped = true;

  constructor(parts: RecurringParts) {
    this.#parts = parts;
  }

  /** Begins the first round now. */
  start(): void {
    this.#stopped = false;
    this.#begin();
  }

  /** Resolves when no round is under way. */
  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer) clearTimeout(this.#timer);
    await this.#round;
  }

  #begin(): void {
    const { work, everyMs, deadlineMs, fault, log } = this.#parts;
    const late = () => new AppError('queue_unavailable', `no answer within ${deadlineMs / 1_000} s`);
    this.#round = withDeadline(work(), deadlineMs, late)
      .then(
        () => {
          this.#isFaulty = false;
        },
        (error) => {
          if (!this.#isFaulty) log.warn({ fault: messageOf(error) }, fault);
          this.#isFaulty = true;
        },
      )
      .finally(() => {
        this.#round = null;
        if (!this.#stopped) this.#timer = setTimeout(() => this.#begin(), everyMs);
      });
  }
}
