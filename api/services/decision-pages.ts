// Reads the decision log page by page for one reader: about a megabyte is in memory at a time, and the next page is
// read only when the reader took the last.

import type { Principal } from '../../shared/model/user.ts';
import type { DecisionEntry, DecisionLog } from '../../shared/ports/decision-log.ts';
import { answerWithin } from './deadline.ts';
import { requireRight } from './rights.ts';

const PAGE_CHARS = 1_048_576;
/** The first page is small: how long entries are is not known yet. */
const FIRST_PAGE = 8;
const LARGEST_PAGE = 500;
const DEADLINE_MS = 5_000;

export class DecisionPages {
  readonly #log: DecisionLog;

  constructor(log: DecisionLog) {
    this.#log = log;
  }

  /**
   * Oldest first, as far as they were there when it was opened. Faults of the first page are thrown here.
   * @throws AppError `forbidden` to all but admins; `queue_unavailable`
   */
  async open(
    by: Principal,
    { after, limit }: { after?: string | undefined; limit: number },
  ): Promise<AsyncGenerator<DecisionEntry[], void>> {
    requireRight(by, 'decision.see');
    const newest = await answerWithin(this.#log.newest(), DEADLINE_MS, 'Redis');
    const first = newest ? await this.#page(after, Math.min(FIRST_PAGE, limit)) : [];
    return this.#pages(first, limit, newest?.id ?? '0');
  }

  async *#pages(
    first: DecisionEntry[],
    limit: number,
    lastId: string,
  ): AsyncGenerator<DecisionEntry[], void> {
    let left = limit;
    for (let page = first; page.length > 0; ) {
      yield page;
      left -= page.length;
      const last = page.at(-1) as DecisionEntry;
      // What is written meanwhile does not make the answer endless.
      if (left === 0 || BigInt(last.id) >= BigInt(lastId)) return;
      const chars = page.reduce((sum, { line }) => sum + line.length, 0);
      const fitting = Math.floor((PAGE_CHARS * page.length) / Math.max(chars, 1));
      page = await this.#page(last.id, Math.min(Math.max(fitting, 1), LARGEST_PAGE, left));
    }
  }

  #page(after: string | undefined, limit: number): Promise<DecisionEntry[]> {
    return answerWithin(this.#log.read({ after, limit }), DEADLINE_MS, 'Redis');
  }
}
