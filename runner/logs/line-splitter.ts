// Raw bytes of one stream to lines, masked, whatever way the bytes are cut into chunks. Must never lose text that a
// terminal would show: what a line becomes depends on the bytes alone, for a restarted runner counts lines to find
// its place again.
//
// A line ends with \n; returns right before it belong to the end; a last line without an end is a line. A return
// elsewhere goes back to the start of the line (see redrawn-line.ts). A line longer than LONG_LINE is cut into
// pieces, each but the last marked with `more`. A piece that is out cannot be redrawn: a return then ends the line.

import { StringDecoder } from 'node:string_decoder';
import { RedrawnLine } from './redrawn-line.ts';
import type { SecretMask } from './secret-mask.ts';

/** In UTF-16 units; 16 KiB of plain text. */
export const LONG_LINE = 16_384;

/** How often a cut is moved because it would go through a secret. More of them overlap only where that is meant. */
const MOST_MOVES = 8;
/** An escape sequence that is not complete yet. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: it is what is looked for.
const BEGUN_ESCAPE = /\u001b(\[[0-9;?]*)?$/;

/** @param more the line goes on in the next one */
export type LineSink = (line: string, more: boolean) => void;

export class LineSplitter {
  readonly #emit: LineSink;
  readonly #mask: SecretMask;
  /** So much text must be there before a long line is cut while its end is unknown: no cut reaches further. */
  readonly #lookAhead: number;
  readonly #decoder = new StringDecoder('utf8');
  readonly #redrawn = new RedrawnLine();
  /** Text since the start of the line, the last return or the last cut. */
  #rest = '';
  #isRedrawn = false;
  /** A piece of the line at hand went out already. */
  #isCut = false;
  /** A return has ended the line; a line end that follows belongs to it. */
  #isEnded = false;

  constructor(emit: LineSink, mask: SecretMask) {
    this.#emit = emit;
    this.#mask = mask;
    const longest = Math.max(0, ...mask.values.map(({ length }) => length));
    this.#lookAhead = LONG_LINE + MOST_MOVES * longest + 2;
  }

  push(chunk: Buffer): void {
    const text = this.#decoder.write(chunk);
    let from = 0;
    let back = text.indexOf('\r');
    const returnBefore = (end: number) => {
      while (back !== -1 && back < end) {
        this.#endSegment(text.slice(from, back));
        from = back + 1;
        back = text.indexOf('\r', from);
      }
    };
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', from)) {
      returnBefore(end);
      this.#endLine(text.slice(from, end));
      from = end + 1;
    }
    returnBefore(text.length);
    this.#goOn(text.slice(from));
    this.#redrawn.settle();
  }

  /** The stream has ended. */
  end(): void {
    this.#goOn(this.#decoder.end());
    // Without an end it is a line only if there is something to see.
    const isThere = this.#isRedrawn ? this.#redrawn.after(this.#rest) !== '' : this.#rest !== '';
    if (isThere) this.#endLine('');
  }

  /** There is text after the last line end. */
  get isUnfinished(): boolean {
    return this.#rest !== '' || this.#isRedrawn;
  }

  /** What a terminal would show now of the line that has no end yet. Costs its length. */
  get unfinished(): string {
    const { apply } = this.#mask;
    return apply(this.#redrawn.after(apply(this.#rest.replace(BEGUN_ESCAPE, ''))));
  }

  #goOn(text: string): void {
    if (text === '') return;
    this.#isEnded = false;
    this.#rest += text;
    if (this.#rest.length >= this.#lookAhead) this.#cut();
  }

  #endSegment(text: string): void {
    const segment = this.#takeSegment(text);
    if (this.#isCut) {
      this.#isCut = false;
      this.#isEnded = true;
      this.#emit(this.#mask.apply(segment), false);
    } else if (!this.#isEnded) {
      // A secret must not lose its start to what is written over it before it was hidden.
      this.#redrawn.write(this.#mask.apply(segment));
      this.#isRedrawn = true;
    }
  }

  #endLine(text: string): void {
    let line = this.#takeSegment(text);
    if (this.#isEnded) {
      this.#isEnded = false;
      return;
    }
    if (this.#isRedrawn) {
      line = this.#redrawn.after(this.#mask.apply(line));
      this.#startAnew();
    }
    this.#isCut = false;
    this.#emit(this.#mask.apply(line), false);
  }

  #startAnew(): void {
    this.#isRedrawn = false;
    this.#redrawn.erase();
  }

  /** What is left of the text at hand after long pieces went out. */
  #takeSegment(text: string): string {
    if (text !== '') this.#isEnded = false;
    this.#rest = this.#rest === '' ? text : this.#rest + text;
    if (this.#rest.length > LONG_LINE) this.#cut(true);
    const segment = this.#rest;
    this.#rest = '';
    return segment;
  }

  /** Lets pieces of the rest go, as far as the text at hand decides where they end. */
  #cut(isWhole = false): void {
    const text = this.#rest;
    const enough = isWhole ? LONG_LINE + 1 : this.#lookAhead;
    let from = 0;
    while (text.length - from >= enough) {
      const to = this.#endOfPiece(text, from);
      if (to >= text.length) break;
      // Nothing is in view any more of what was there before: it is covered.
      if (this.#isRedrawn) this.#startAnew();
      this.#isCut = true;
      this.#emit(this.#mask.apply(text.slice(from, to)), true);
      from = to;
    }
    this.#rest = text.slice(from);
  }

  /** Not through a secret, nor between the halves of a character. */
  #endOfPiece(text: string, from: number): number {
    let to = from + LONG_LINE;
    for (let moves = 0; moves < MOST_MOVES; moves += 1) {
      const cut = to;
      for (const secret of this.#mask.values) {
        const start = Math.max(from, cut - secret.length + 1);
        const at = text.slice(start, cut + secret.length - 1).lastIndexOf(secret);
        if (at !== -1) to = Math.max(to, start + at + secret.length);
      }
      if (to === cut) break;
    }
    return isHighSurrogate(text.charCodeAt(to - 1)) ? to + 1 : to;
  }
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}
