// What the leading scheduler said of itself last. Asked at most once a second for all who want to know, and best effort:
// nothing waits for it or fails with it.

import type { SchedulerReport } from '../../shared/model/scheduling.ts';
import type { Log } from '../../shared/platform/log.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { SchedulerBoard } from '../../shared/ports/scheduler-board.ts';
import { answerWithin } from './deadline.ts';

export interface SchedulerNewsParts {
  readonly board: Pick<SchedulerBoard, 'read'>;
  readonly clock: Clock;
  readonly log: Log;
}

const FRESH_MS = 1_000;
const DEADLINE_MS = 1_000;

export class SchedulerNews {
  readonly #parts: SchedulerNewsParts;
  #last: { report: Promise<SchedulerReport | null>; since: number } | null = null;

  constructor(parts: SchedulerNewsParts) {
    this.#parts = parts;
  }

  /** At most a second older than what the board has; null when none has led lately, or it cannot be asked. */
  report(): Promise<SchedulerReport | null> {
    const now = this.#parts.clock.monotonic();
    // What takes longer than it is fresh has been given up by then.
    if (!this.#last || now - this.#last.since >= FRESH_MS) this.#last = { report: this.#read(), since: now };
    return this.#last.report;
  }

  async #read(): Promise<SchedulerReport | null> {
    try {
      return await answerWithin(this.#parts.board.read(), DEADLINE_MS, 'Redis');
    } catch (error) {
      this.#parts.log.debug({ err: error }, 'the report of the scheduler cannot be read');
      return null;
    }
  }
}
