// Logs faults that repeat many times a second while Redis is away, at a bounded rate. Never throws.

import { messageOf } from '../../errors.ts';
import type { Log } from '../../platform/log.ts';

/** At most one line in this time; the number of those left out is told with the next. */
const EVERY_MS = 10_000;

export class FaultLog {
  readonly #log: Log;
  readonly #message: string;
  #nextAt = 0;
  #leftOut = 0;

  constructor(log: Log, message: string) {
    this.#log = log;
    this.#message = message;
  }

  report(error: unknown, fields: Record<string, unknown> = {}): void {
    const now = performance.now();
    if (now < this.#nextAt) {
      this.#leftOut += 1;
      return;
    }
    this.#nextAt = now + EVERY_MS;
    this.#log.warn({ ...fields, fault: messageOf(error), leftOut: this.#leftOut }, this.#message);
    this.#leftOut = 0;
  }

  /** The next fault is news again. */
  reset(): void {
    this.#nextAt = 0;
  }
}
