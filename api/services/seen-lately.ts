// Tells the first of many alike from the rest, so that a flood of the same is told once a minute. Bounded in memory.

import type { Clock } from '../../shared/ports/clock.ts';

const WINDOW_MS = 60_000;
const MOST_KEYS = 1_000;

interface Seen {
  /** Monotonic. */
  readonly since: number;
  repeats: number;
}

export class SeenLately {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #keys = new Map<string, Seen>();

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  /** Null for one that was seen within a minute; else how many such there were since the last one that was not. */
  see(key: string): number | null {
    const now = this.#clock.monotonic();
    const seen = this.#keys.get(key);
    if (seen && now - seen.since < WINDOW_MS) {
      seen.repeats += 1;
      return null;
    }
    this.#keys.delete(key);
    this.#keys.set(key, { since: now, repeats: 0 });
    if (this.#keys.size > MOST_KEYS) {
      // The one that began longest ago.
      for (const oldest of this.#keys.keys()) {
        this.#keys.delete(oldest);
        break;
      }
    }
    return seen?.repeats ?? 0;
  }
}
