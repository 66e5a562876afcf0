// Puts the rows of one record on lines of bounded length: what does not fit on the line of the pass goes ahead of it in
// parts. Pure.

import type { PassLine, Sections, Segment } from './decision-format.ts';

/** About where a line is full; one row may go beyond it. */
const LINE_CHARS = 200_000;

type Row<Name extends keyof Sections> = NonNullable<Sections[Name]>[number];

export class LineWriter {
  readonly #segment: Segment;
  #at = 0;
  #n = 1;
  #sections: Sections = {};
  #chars = 0;
  #lines: string[] = [];

  constructor(segment: Segment) {
    this.#segment = segment;
  }

  begin(at: number): void {
    this.#at = at;
  }

  /** @param chars about how long it becomes */
  add<Name extends keyof Sections>(section: Name, row: Row<Name>, chars: number): void {
    let rows = this.#sections[section] as Row<Name>[] | undefined;
    if (!rows) {
      rows = [];
      Object.assign(this.#sections, { [section]: rows });
    }
    rows.push(row);
    this.#chars += chars;
    if (this.#chars < LINE_CHARS) return;
    this.#lines.push(JSON.stringify({ kind: 'part', ...this.#head(), ...this.#sections }));
    this.#sections = {};
    this.#chars = 0;
  }

  /** The lines of the record, that of the pass at the end. */
  end(
    pass: number,
    own: Omit<PassLine, 'kind' | 'pass' | 'n' | 'at' | keyof Segment | keyof Sections>,
  ): string[] {
    const lines = this.#lines;
    lines.push(JSON.stringify({ kind: 'pass', ...this.#head(), pass, ...this.#sections, ...own }));
    this.#lines = [];
    this.#sections = {};
    this.#chars = 0;
    return lines;
  }

  #head() {
    this.#n += 1;
    return { ...this.#segment, n: this.#n - 1, at: this.#at };
  }
}
