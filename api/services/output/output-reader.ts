// One reader's way through the log store, page by page. Bears a store that is away for a while.

import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../../shared/ports/clock.ts';
import type { OutputPage } from './output-page.ts';
import { PageSize } from './page-size.ts';
import { Patience } from './patience.ts';
import type { SharedPages } from './shared-pages.ts';

const RETRY_MS = 500;

export interface ReaderParts {
  readonly pages: SharedPages;
  readonly clock: Clock;
}

export class OutputReader {
  readonly #taskId: string;
  readonly #attempt: number;
  readonly #pages: SharedPages;
  readonly #pageSize: PageSize;
  readonly #faults: Patience;

  /** @param pageChars about how much text a page should have, when that is less than usual */
  constructor(taskId: string, attempt: number, parts: ReaderParts, pageChars?: number) {
    this.#taskId = taskId;
    this.#attempt = attempt;
    this.#pages = parts.pages;
    this.#pageSize = new PageSize(pageChars);
    this.#faults = new Patience(parts.clock);
  }

  /**
   * Lines from number `from` on; null when the store has none, or the signal was aborted.
   * @throws AppError when the store stays away for too long
   */
  async next(from: number, signal: AbortSignal): Promise<OutputPage | null> {
    while (!signal.aborted) {
      try {
        const page = await this.#pages.read(this.#taskId, this.#attempt, from, this.#pageSize.lines);
        this.#faults.forget();
        if (page) this.#pageSize.learn(page);
        return page;
      } catch (error) {
        this.#faults.bear(error);
        await delay(RETRY_MS, undefined, { signal }).catch(() => undefined);
      }
    }
    return null;
  }
}
