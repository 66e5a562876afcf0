// Raw bytes of one stream to lines, whatever way the bytes are cut into chunks. Must never drop or invent text: what
// a line becomes depends on the bytes alone, for a restarted runner counts lines to find its place again.
//
// A line ends with \n or \r\n; a last line without an end is a line. A line of LONG_LINE characters or more is cut
// into pieces, each but the last at least LONG_LINE long: that length is the mark that the line goes on.

import { StringDecoder } from 'node:string_decoder';

/** In UTF-16 units; 16 KiB of plain text. */
export const LONG_LINE = 16_384;

const RETURN = 13;

export class LineSplitter {
  readonly #emit: (line: string) => void;
  readonly #unbroken: readonly string[];
  /** So much text must be there before a long line is cut, to see an unbroken text that begins before the cut. */
  readonly #lookAhead: number;
  readonly #decoder = new StringDecoder('utf8');
  #rest = '';
  /** A piece of the line at hand went out already. */
  #inLine = false;

  /** @param unbroken texts that a cut of a long line never goes through */
  constructor(emit: (line: string) => void, unbroken: readonly string[] = []) {
    this.#emit = emit;
    this.#unbroken = unbroken;
    this.#lookAhead = LONG_LINE + Math.max(1, ...unbroken.map(({ length }) => length));
  }

  push(chunk: Buffer): void {
    const text = this.#decoder.write(chunk);
    // Without a line end in the new text only the length of the rest matters.
    this.#take(this.#rest === '' ? text : this.#rest + text, this.#rest.length);
  }

  /** The stream has ended. */
  end(): void {
    this.#take(this.#rest + this.#decoder.end(), 0);
    let from = 0;
    while (this.#rest.length - from >= LONG_LINE) from = this.#cut(this.#rest, from, this.#rest.length);
    if (from < this.#rest.length || this.#inLine) this.#emit(this.#rest.slice(from));
    this.#rest = '';
    this.#inLine = false;
  }

  #take(text: string, searchFrom: number): void {
    let from = 0;
    let end = text.indexOf('\n', searchFrom);
    while (end !== -1) {
      while (end - from >= LONG_LINE) from = this.#cut(text, from, end);
      const returned = end > from && text.charCodeAt(end - 1) === RETURN;
      this.#emit(text.slice(from, returned ? end - 1 : end));
      this.#inLine = false;
      from = end + 1;
      end = text.indexOf('\n', from);
    }
    while (text.length - from >= this.#lookAhead) from = this.#cut(text, from, text.length);
    this.#rest = from === 0 ? text : text.slice(from);
  }

  /** Emits one piece of a long line and returns where the next begins. */
  #cut(text: string, from: number, end: number): number {
    let to = from + LONG_LINE;
    const cut = to;
    for (const whole of this.#unbroken) {
      const start = Math.max(from, cut - whole.length + 1);
      const at = text.slice(start, Math.min(end, cut + whole.length - 1)).lastIndexOf(whole);
      if (at !== -1) to = Math.max(to, start + at + whole.length);
    }
    if (isHighSurrogate(text.charCodeAt(to - 1)) && to < end) to += 1;
    this.#emit(text.slice(from, to));
    this.#inLine = true;
    return to;
  }
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}
