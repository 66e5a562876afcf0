// A reading that may be slow or hang: nobody waits long for it, and until it comes the last one stands. At most one
// reading is under way at a time. Faults are logged once for each streak; a gauge never throws.

import { withDeadline } from '../../shared/platform/deadline.ts';
import type { Log } from '../../shared/platform/log.ts';

/** Far more than a reading takes, far less than a heartbeat can wait. */
const GAUGE_WAIT_MS = 250;

export interface GaugeParts<T> {
  /** For the log: "the use of the disk". */
  readonly what: string;
  readonly read: () => Promise<T>;
  /** Stands until the first reading. */
  readonly initial: T;
  /** A younger reading is not repeated; by default each call reads. */
  readonly everyMs?: number;
  readonly log: Log;
}

export class Gauge<T> {
  readonly #parts: GaugeParts<T>;
  #value: T;
  #reading: Promise<void> | null = null;
  #isLate = false;
  #isFaulty = false;
  #begunAt = Number.NEGATIVE_INFINITY;

  constructor(parts: GaugeParts<T>) {
    this.#parts = parts;
    this.#value = parts.initial;
  }

  async value(): Promise<T> {
    const now = performance.now();
    if (!this.#reading && now - this.#begunAt >= (this.#parts.everyMs ?? 0)) this.#begin(now);
    // Waited for once: what hangs must not hold every heartbeat.
    if (this.#reading && !this.#isLate) {
      await withDeadline(this.#reading, GAUGE_WAIT_MS, () => new Error('late')).catch(() => {
        this.#isLate = true;
      });
    }
    return this.#value;
  }

  #begin(now: number): void {
    const { what, read, log } = this.#parts;
    this.#begunAt = now;
    this.#isLate = false;
    this.#reading = read()
      .then(
        (value) => {
          this.#value = value;
          this.#isFaulty = false;
        },
        (error) => {
          if (!this.#isFaulty) log.warn({ err: error }, `${what} cannot be measured; the last value stands`);
          this.#isFaulty = true;
        },
      )
      .finally(() => {
        this.#reading = null;
      });
  }
}
