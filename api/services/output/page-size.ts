// How many lines to ask the log store for, so that a page is large enough to be cheap and never large in memory.
// Pure but for what it remembers of the last page.

import type { OutputPage } from './output-page.ts';

const FIRST_LINES = 500;
const LEAST_LINES = 16;
const MOST_LINES = 4_000;
/** Text and overhead of a page. */
const PAGE_CHARS = 400_000;

export class PageSize {
  readonly #chars: number;
  #lines: number;

  constructor(chars = PAGE_CHARS) {
    this.#chars = chars;
    this.#lines = Math.ceil((FIRST_LINES * chars) / PAGE_CHARS);
  }

  get lines(): number {
    return this.#lines;
  }

  /** The next page will be like this one. */
  learn(page: OutputPage): void {
    const fitting = Math.floor((this.#chars * page.lines.length) / page.chars);
    this.#lines = Math.min(MOST_LINES, Math.max(LEAST_LINES, fitting));
  }
}
