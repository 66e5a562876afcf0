// Searches the lines that are held, a part in each frame, so that a long output does not hold up the page.

import type { ReactiveControllerHost } from 'lit';
import { indexOfId, type LogLines } from './log-lines.ts';
import { type Hit, LogSearch, patternOf, type SearchTerms } from './log-search.ts';
import type { Findings } from './log-tools.ts';

/** A few milliseconds' worth. */
const LINES_A_FRAME = 4_000;

export class LogFinder {
  terms: SearchTerms = { text: '', isPattern: false, matchCase: false };
  search: LogSearch | null = null;
  /** The find that was stepped to. */
  hit: Hit | null = null;
  /** Grows with what is found. */
  version = 0;
  readonly #host: ReactiveControllerHost;
  readonly #lines: LogLines;
  #fault: string | null = null;
  #frame = 0;

  constructor(host: ReactiveControllerHost, lines: LogLines) {
    this.#host = host;
    this.#lines = lines;
    host.addController({ hostDisconnected: () => cancelAnimationFrame(this.#frame) });
  }

  get findings(): Findings | null {
    const { search, hit } = this;
    if (this.#fault !== null) return { place: 0, count: 0, isFull: false, fault: this.#fault };
    if (!search) return null;
    return { place: hit ? search.placeOf(hit) : 0, count: search.count, isFull: search.isFull, fault: null };
  }

  /** What the address asks for. */
  look(text: string): void {
    if (text !== this.terms.text) this.seek({ ...this.terms, text });
  }

  seek(terms: SearchTerms): void {
    this.terms = terms;
    this.restart();
  }

  /** Other lines are shown, or something else is searched for. */
  restart(): void {
    this.search = null;
    this.hit = null;
    this.#fault = null;
    this.version += 1;
    try {
      const pattern = patternOf(this.terms);
      if (pattern) this.search = new LogSearch(pattern);
    } catch (error) {
      this.#fault = (error as Error).message;
    }
    this.#host.requestUpdate();
  }

  /** Reads some of what has not been read; to be called with each update. */
  read(): void {
    const { search } = this;
    if (!search) return;
    const before = search.count;
    const isDone = search.advance(this.#lines.shown, LINES_A_FRAME);
    if (search.count !== before) this.version += 1;
    if (isDone) return;
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => this.#host.requestUpdate());
  }

  /** @param line id of the first line on the screen */
  step(direction: 1 | -1, line: number): Hit | null {
    this.hit = this.search?.step(this.hit, line, direction) ?? null;
    this.version += 1;
    this.#host.requestUpdate();
    return this.hit;
  }

  /** Among the lines that are shown. */
  indexOf({ id }: Hit): number {
    return indexOfId(this.#lines.shown, id);
  }
}
