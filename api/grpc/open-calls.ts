// How many watches are open, of one caller and in all. One counts until its connection has let go of it, not only until
// its watching has ended, since what waits there to be sent is held as long.

import { OpenCounts } from '../services/open-counts.ts';

/** As with readings of output: far more than anyone watches. */
const MAX_OF_ONE = 100;
const MAX_IN_ALL = 5_000;

export class OpenCalls extends OpenCounts {
  constructor() {
    super({
      ofOne: MAX_OF_ONE,
      inAll: MAX_IN_ALL,
      ownRefusal: (open) => `you watch ${open} times already: end some of that first`,
      crowdRefusal: 'too many watch here already',
    });
  }
}
