// How long a reading bears a store that is away.

import { isAppError } from '../../../shared/errors.ts';
import type { Clock } from '../../../shared/ports/clock.ts';

/** What is away for longer ends the reading with its error. */
const PATIENCE_MS = 30_000;

export class Patience {
  readonly #clock: Clock;
  #since: number | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** @throws `error`, when it will not pass or has lasted for too long */
  bear(error: unknown): void {
    this.#since ??= this.#clock.monotonic();
    const passing = isAppError(error) && error.retryable;
    if (!passing || this.#clock.monotonic() - this.#since > PATIENCE_MS) throw error;
  }

  forget(): void {
    this.#since = null;
  }
}
