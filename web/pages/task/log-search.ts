// Finds in the lines that are held, and goes on finding as lines come and go: only what is new is read. Pure.

import { type LogLine, lowerBound } from './log-lines.ts';
import { plainText } from './plain-text.ts';

export interface SearchTerms {
  readonly text: string;
  readonly isPattern: boolean;
  readonly matchCase: boolean;
}

/** One find: the line, and which of the finds in it. */
export interface Hit {
  readonly id: number;
  readonly nth: number;
}

export type Range = readonly [from: number, to: number];

/** More than anybody steps through; beyond it they are not counted. */
const MAX_HITS = 200_000;
const MAX_IN_LINE = 1_000;

/** Null when nothing is searched for. @throws SyntaxError for a pattern that is none */
export function patternOf({ text, isPattern, matchCase }: SearchTerms): RegExp | null {
  if (text === '') return null;
  const source = isPattern ? text : text.replaceAll(/[.*+?^${}()|[\]\\/-]/g, '\\$&');
  return new RegExp(source, matchCase ? 'g' : 'gi');
}

export class LogSearch {
  readonly #pattern: RegExp;
  /** Ids of lines, one for each find, in order. */
  #hits: number[] = [];
  /** What has been read; empty at first. */
  #low = 0;
  #high = -1;

  constructor(pattern: RegExp) {
    this.#pattern = pattern;
  }

  get count(): number {
    return this.#hits.length;
  }

  get isFull(): boolean {
    return this.#hits.length >= MAX_HITS;
  }

  /** Where the finds in a line begin and end, in its plain text. */
  ranges({ text, kind }: Pick<LogLine, 'text' | 'kind'>): Range[] {
    if (kind === 'attempt') return [];
    const found: Range[] = [];
    for (const match of plainText(text).matchAll(this.#pattern)) {
      if (match[0] === '') continue;
      found.push([match.index, match.index + match[0].length]);
      if (found.length === MAX_IN_LINE) break;
    }
    return found;
  }

  /** Reads at most `limit` lines that are new, newer ones first. @returns whether all have been read */
  advance(lines: readonly LogLine[], limit: number): boolean {
    this.#forget(lines);
    let left = limit;
    const from = lowerBound(lines, ({ id }) => id <= this.#high);
    const to = Math.min(lines.length, from + left);
    for (let at = from; at < to && !this.isFull; at += 1) {
      const line = lines[at] as LogLine;
      for (const _find of this.ranges(line)) this.#hits.push(line.id);
      this.#high = line.id;
    }
    left -= to - from;
    const end = lowerBound(lines, ({ id }) => id < this.#low);
    const begin = Math.max(0, end - left);
    if (begin < end && !this.isFull) {
      const early: number[] = [];
      for (let at = begin; at < end; at += 1) {
        const line = lines[at] as LogLine;
        for (const _find of this.ranges(line)) early.push(line.id);
      }
      this.#hits = [...early, ...this.#hits];
      this.#low = (lines[begin] as LogLine).id;
    }
    return this.isFull || (to === lines.length && begin === 0);
  }

  /** The find after (or before) one, around the ends; with none, the first one at or after (before) the line. */
  step(from: Hit | null, line: number, direction: 1 | -1): Hit | null {
    const hits = this.#hits;
    if (hits.length === 0) return null;
    const at = from ? this.#indexOf(from) : null;
    const bound = lowerBound(hits, (id) => id < line);
    const next = at === null ? (direction === 1 ? bound : bound - 1) : at + direction;
    const index = (next + hits.length) % hits.length;
    const id = hits[index] as number;
    return { id, nth: index - lowerBound(hits, (other) => other < id) };
  }

  /** Counted from 1; 0 for a find that is gone. */
  placeOf(hit: Hit): number {
    const index = this.#indexOf(hit);
    return index === null ? 0 : index + 1;
  }

  #indexOf({ id, nth }: Hit): number | null {
    const index = lowerBound(this.#hits, (other) => other < id) + nth;
    return this.#hits[index] === id ? index : null;
  }

  /** Of lines that are held no more. */
  #forget(lines: readonly LogLine[]): void {
    const first = lines[0]?.id ?? 0;
    const last = lines[lines.length - 1]?.id ?? -1;
    if (this.#high < first || this.#low > last) {
      // Nothing that was read is left.
      this.#hits = [];
      this.#low = first;
      this.#high = first - 1;
      return;
    }
    if (first > this.#low) {
      this.#hits.splice(
        0,
        lowerBound(this.#hits, (id) => id < first),
      );
      this.#low = first;
    }
    if (last < this.#high) {
      this.#hits.splice(lowerBound(this.#hits, (id) => id <= last));
      this.#high = last;
    }
  }
}
