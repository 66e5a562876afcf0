// How many readings and writings of files are under way, so that no user and no crowd can hold all of the
// process's connections and file descriptors.

import { AppError } from '../../../shared/errors.ts';

/** Of one user: far more than a client opens side by side. */
const MAX_OF_ONE = 64;
/** In this process: each holds a connection and a handful of chunks. */
const MAX_IN_ALL = 1_000;

export class Transfers {
  readonly #open = new Map<string, number>();
  #all = 0;

  /** @returns ends it; may be called more than once. @throws AppError `rate_limited` */
  begin(userId: string): () => void {
    const open = this.#open.get(userId) ?? 0;
    if (open >= MAX_OF_ONE) {
      throw new AppError('rate_limited', `${open} of your files are under way already: let some end first`);
    }
    if (this.#all >= MAX_IN_ALL) {
      throw new AppError('rate_limited', 'too many files are under way here: try again later', {
        retryable: true,
        retryAfterSeconds: 10,
      });
    }
    this.#open.set(userId, open + 1);
    this.#all += 1;
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      const left = (this.#open.get(userId) ?? 1) - 1;
      if (left > 0) this.#open.set(userId, left);
      else this.#open.delete(userId);
      this.#all -= 1;
    };
  }
}
