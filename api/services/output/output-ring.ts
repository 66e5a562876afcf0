// The newest lines of an attempt in memory, without gaps: pages enter at the end, the oldest leave when there is too
// much. Pure.

import type { OutputPage } from './output-page.ts';

export class OutputRing {
  #pages: OutputPage[] = [];
  #chars = 0;
  #next: number;

  /** Empty; its first line will be number `next`. */
  constructor(next: number) {
    this.#next = next;
  }

  /** Number of the line that is to come. */
  get next(): number {
    return this.#next;
  }

  /** Text and overhead of what is held. */
  get chars(): number {
    return this.#chars;
  }

  /** Forgets all; goes on with line `next`. */
  restart(next: number): void {
    this.#pages = [];
    this.#chars = 0;
    this.#next = next;
  }

  /**
   * Takes what is new of a page and forgets the oldest while more than `maxChars` is held; the newest page stays.
   * Returns the page that entered; null for one that is known already. A page beyond the end is a fault.
   */
  append(page: OutputPage, maxChars: number): OutputPage | null {
    if (page.firstSeq > this.#next)
      throw new RangeError(`line ${page.firstSeq} does not follow ${this.#next}`);
    const fresh = page.from(this.#next);
    if (!fresh) return null;
    this.#pages.push(fresh);
    this.#chars += fresh.chars;
    this.#next = fresh.lastSeq + 1;
    let gone = 0;
    while (this.#chars > maxChars && gone < this.#pages.length - 1) {
      this.#chars -= this.#pages[gone]?.chars ?? 0;
      gone += 1;
    }
    if (gone > 0) this.#pages.splice(0, gone);
    return fresh;
  }

  /** The lines from number `from` on, to the end of their page; null when that line is not here. */
  pageFrom(from: number): OutputPage | null {
    if (from >= this.#next) return null;
    // Nearly always the last one.
    for (let at = this.#pages.length - 1; at >= 0; at -= 1) {
      const page = this.#pages[at] as OutputPage;
      if (page.firstSeq <= from) return page.from(from);
    }
    return null;
  }
}
