// A line for heavy work: one at a time, first come first, and only so many may wait.

import { AppError } from '../../shared/errors.ts';

export interface TurnLimits {
  /** In the line, the one whose turn it is included. */
  readonly most: number;
  /** The same of one owner. */
  readonly mostOfOne: number;
}

const RETRY_SECONDS = 1;

export class Turns {
  readonly #limits: TurnLimits;
  readonly #inLine = new Map<string, number>();
  #length = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(limits: TurnLimits) {
    this.#limits = limits;
  }

  /** Does the work when its turn has come. @throws AppError `rate_limited`; what the work throws */
  async take<T>(owner: string, work: () => Promise<T>): Promise<T> {
    const own = this.#inLine.get(owner) ?? 0;
    if (this.#length >= this.#limits.most || own >= this.#limits.mostOfOne) {
      throw new AppError('rate_limited', 'too many such questions at once; try again in a moment', {
        retryable: true,
        retryAfterSeconds: RETRY_SECONDS,
      });
    }
    this.#inLine.set(owner, own + 1);
    this.#length += 1;
    const mine = this.#last.then(work);
    this.#last = mine.catch(() => undefined);
    try {
      return await mine;
    } finally {
      this.#length -= 1;
      const left = (this.#inLine.get(owner) ?? 1) - 1;
      if (left === 0) this.#inLine.delete(owner);
      else this.#inLine.set(owner, left);
    }
  }
}
