// Work for one key goes one after the other, so that what is counted before a step is still true in it; work for
// different keys goes side by side. Only so many may wait for one key.

import { AppError } from '../../shared/errors.ts';

export interface KeyedTurnsOptions {
  /** For one key, the one at work included. */
  readonly most: number;
  /** What to say to one more. */
  readonly refusal: string;
  readonly retryAfterSeconds: number;
}

export class KeyedTurns {
  readonly #options: KeyedTurnsOptions;
  readonly #lines = new Map<string, { waiting: number; last: Promise<unknown> }>();

  constructor(options: KeyedTurnsOptions) {
    this.#options = options;
  }

  /** @throws AppError `rate_limited`; what the work throws */
  async take<T>(key: string, work: () => Promise<T>): Promise<T> {
    const { most, refusal, retryAfterSeconds } = this.#options;
    const line = this.#lines.get(key) ?? { waiting: 0, last: Promise.resolve() };
    if (line.waiting >= most) {
      throw new AppError('rate_limited', refusal, { retryable: true, retryAfterSeconds });
    }
    const mine = line.last.then(work);
    line.last = mine.catch(() => undefined);
    line.waiting += 1;
    this.#lines.set(key, line);
    try {
      return await mine;
    } finally {
      line.waiting -= 1;
      if (line.waiting === 0) this.#lines.delete(key);
    }
  }
}
