// Writes down what a pass of the scheduler saw and decided, so that it can be decided again. In full at the beginning of
// a segment, as differences after that; a reader who comes later begins at the next segment. Pure: it gives back lines
// of text, and keeps of a pass no more than what the next is compared with.

import { Book } from './decision-book.ts';
import { DECISION_FORMAT, type KeyLine, type NoteLine } from './decision-format.ts';
import { WatchedSnapshot } from './decision-watch.ts';
import { LineWriter } from './decision-writer.ts';
import { PLAN_VERSION } from './plan-version.ts';
import type { Plan, Snapshot } from './snapshot.ts';

/** A record of differences that is longer is left out: the full picture that follows says it shorter. */
export const LONGEST_DIFFERENCES_CHARS = 1_048_576;
/** The full picture may be so much of what is kept in all, and no more than LONGEST_KEY_CHARS. */
const KEY_SHARE = 0.25;
const LONGEST_KEY_CHARS = 8 * 1_048_576;
/** A new segment begins when one has so much of what is kept: the ring holds some whole ones at any time. */
const SEGMENT_SHARE = 0.25;
/** After a full picture that was too long, so many passes at most go by before the next try. */
const LONGEST_PAUSE = 256;

export interface RecorderOptions {
  readonly term: number;
  /** Of the ring that the lines go to. */
  readonly maxBytes: number;
}

export interface Recorded {
  readonly lines: readonly string[];
  /** Passes that the lines speak of, those they note as left out included. */
  readonly passes: number;
}

const NOTHING: Recorded = { lines: [], passes: 0 };

export class Recorder {
  readonly #term: number;
  readonly #segmentChars: number;
  readonly #keyChars: number;
  #segment = 0;
  #open: { readonly book: Book; readonly out: LineWriter; chars: number } | null = null;
  #passes = 0;
  /** Since the last record. */
  #leftOut = 0;
  #why = '';
  /** Full pictures in turn that were too long; then how many passes to let go by. */
  #tooLong = 0;
  #pause = 0;

  constructor({ term, maxBytes }: RecorderOptions) {
    this.#term = term;
    this.#segmentChars = maxBytes * SEGMENT_SHARE;
    this.#keyChars = Math.min(LONGEST_KEY_CHARS, maxBytes * KEY_SHARE);
  }

  /** The same snapshot, for one plan to look at. */
  watch(snapshot: Snapshot): WatchedSnapshot {
    this.#passes += 1;
    return new WatchedSnapshot(snapshot);
  }

  /** What is to be kept of the pass; nothing when it decided nothing. Right after the plan, before anything changes. */
  record(
    seen: WatchedSnapshot,
    now: number,
    seed: number,
    made: Pick<Plan, 'placements' | 'preemptions'>,
  ): Recorded {
    if (made.placements.length === 0 && made.preemptions.length === 0) return NOTHING;
    if (this.#pause > 0) {
      this.#pause -= 1;
      this.#leftOut += 1;
      return NOTHING;
    }
    const isKey = this.#open === null;
    const head: string[] = [];
    if (!this.#open) {
      if (this.#leftOut > 0) head.push(this.#note(now));
      head.push(this.#key(now));
      const out = new LineWriter({ term: this.#term, segment: this.#segment });
      this.#open = { book: new Book(out), out, chars: 0 };
    }
    const { book, out } = this.#open;
    out.begin(now);
    const lines = out.end(this.#passes, book.tell(seen, now, seed, made));
    const chars = lines.reduce((sum, line) => sum + line.length, 0);
    const most = isKey ? this.#keyChars : Math.min(LONGEST_DIFFERENCES_CHARS, this.#keyChars);
    if (chars > most) {
      const what = isKey ? 'the full picture' : 'what has changed';
      this.leaveOut(1, `${what} has ${chars} characters, more than ${Math.floor(most)}`);
      if (!isKey) return NOTHING;
      this.#tooLong += 1;
      this.#pause = Math.min(2 ** this.#tooLong, LONGEST_PAUSE);
      const noted = { lines: [this.#note(now)], passes: this.#leftOut };
      this.#leftOut = 0;
      return noted;
    }
    const passes = 1 + this.#leftOut;
    this.#leftOut = 0;
    if (isKey) this.#tooLong = 0;
    this.#open.chars += chars;
    if (this.#open.chars > this.#segmentChars) this.#open = null;
    return { lines: [...head, ...lines], passes };
  }

  /** Records were lost on their way, or are not wanted: the next one begins anew. */
  leaveOut(passes: number, why: string): void {
    this.#open = null;
    this.#leftOut += passes;
    this.#why = why;
  }

  #key(at: number): string {
    this.#segment += 1;
    const key: KeyLine = {
      kind: 'key',
      format: DECISION_FORMAT,
      rules_version: PLAN_VERSION,
      term: this.#term,
      segment: this.#segment,
      n: 0,
      at,
    };
    return JSON.stringify(key);
  }

  #note(at: number): string {
    const note: NoteLine = {
      kind: 'note',
      term: this.#term,
      at,
      passes: this.#leftOut,
      why: this.#why,
    };
    return JSON.stringify(note);
  }
}
