// Something done again and again beside the turns of a term: one round at a time, each with a deadline. Nothing waits
// for it, and what goes wrong in it is told once in the log and costs the round alone.

import { AppError, messageOf } from '../shared/errors.ts';
import { withDeadline } from '../shared/platform/deadline.ts';
import type { Log } from '../shared/platform/log.ts';
import { Pulse } from '../shared/platform/pulse.ts';

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
  readonly #pulse: Pulse;

  constructor({ work, everyMs, deadlineMs, fault, log }: RecurringParts) {
    const late = () => new AppError('queue_unavailable', `no answer within ${deadlineMs / 1_000} s`);
    let isFaulty = false;
    this.#pulse = new Pulse({
      everyMs,
      work: async () => {
        await withDeadline(work(), deadlineMs, late);
        isFaulty = false;
      },
      onFault: (error) => {
        if (!isFaulty) log.warn({ fault: messageOf(error) }, fault);
        isFaulty = true;
      },
    });
  }

  /** Begins the first round now. */
  start(): void {
    this.#pulse.start();
  }

  /** Resolves when no round is under way. */
  stop(): Promise<void> {
    return this.#pulse.stop();
  }
}
