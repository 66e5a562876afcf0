// How many of a kind are open at once, of one caller and in this process: each holds memory or a connection for as long as it
// is open, so nobody alone and no crowd may have any number of them. Nobody waits here; what is too much is refused.

import { AppError } from '../../shared/errors.ts';

export interface OpenCountsLimits {
  readonly ofOne: number;
  readonly inAll: number;
  /** What is said to one who has `open` of them. */
  readonly ownRefusal: (open: number) => string;
  /** What is said when all have too many together; that it may be tried later is added. */
  readonly crowdRefusal: string;
}

const LATER_SECONDS = 10;

export class OpenCounts {
  readonly #limits: OpenCountsLimits;
  readonly #ofOne = new Map<string, number>();
  #all = 0;

  constructor(limits: OpenCountsLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#all;
  }

  /** @returns takes it out again; may be called more than once. @throws AppError `rate_limited` */
  add(caller: string): () => void {
    const { ofOne, inAll, ownRefusal, crowdRefusal } = this.#limits;
    const open = this.#ofOne.get(caller) ?? 0;
    if (open >= ofOne) throw new AppError('rate_limited', ownRefusal(open));
    if (this.#all >= inAll) {
      throw new AppError('rate_limited', `${crowdRefusal}: try again later`, {
        retryable: true,
        retryAfterSeconds: LATER_SECONDS,
      });
    }
    this.#ofOne.set(caller, open + 1);
    this.#all += 1;
    let isOut = false;
    return () => {
      if (isOut) return;
      isOut = true;
      const left = (this.#ofOne.get(caller) ?? 1) - 1;
      if (left > 0) this.#ofOne.set(caller, left);
      else this.#ofOne.delete(caller);
      this.#all -= 1;
    };
  }
}
