// How many watches are open, of one caller and in all. One counts until its connection has let go of it, not only until
// its watching has ended, since what waits there to be sent is held as long.

import { AppError } from '../../shared/errors.ts';

/** As with readings of output: far more than anyone watches. */
const MAX_OF_ONE = 100;
const MAX_IN_ALL = 5_000;

export class OpenCalls {
  readonly #ofOne = new Map<string, number>();
  #all = 0;

  get size(): number {
    return this.#all;
  }

  /** @param payer whose it is. @returns takes it out again. @throws AppError `rate_limited` */
  add(payer: string): () => void {
    const open = this.#ofOne.get(payer) ?? 0;
    if (open >= MAX_OF_ONE) {
      throw new AppError('rate_limited', `you watch ${open} times already: end some of that first`);
    }
    if (this.#all >= MAX_IN_ALL) {
      throw new AppError('rate_limited', 'too many watch here already: try again later', {
        retryable: true,
        retryAfterSeconds: 10,
      });
    }
    this.#ofOne.set(payer, open + 1);
    this.#all += 1;
    let isOut = false;
    return () => {
      if (isOut) return;
      isOut = true;
      const left = (this.#ofOne.get(payer) ?? 1) - 1;
      if (left > 0) this.#ofOne.set(payer, left);
      else this.#ofOne.delete(payer);
      this.#all -= 1;
    };
  }
}
