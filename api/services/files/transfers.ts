// How many readings and writings of files are under way, so that no user and no crowd can hold all of the
// process's connections and file descriptors.

import { OpenCounts } from '../open-counts.ts';

/** Of one user: far more than a client opens side by side. */
const MAX_OF_ONE = 64;
/** In this process: each holds a connection and a handful of chunks. */
const MAX_IN_ALL = 1_000;

export class Transfers {
  readonly #open = new OpenCounts({
    ofOne: MAX_OF_ONE,
    inAll: MAX_IN_ALL,
    ownRefusal: (open) => `${open} of your files are under way already: let some end first`,
    crowdRefusal: 'too many files are under way here',
  });

  /** @returns ends it; may be called more than once. @throws AppError `rate_limited` */
  begin(userId: string): () => void {
    return this.#open.add(userId);
  }
}
