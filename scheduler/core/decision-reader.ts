// Reads what decision-record.ts wrote, line by line, from wherever in a ring it begins. What cannot be read is said in
// words and skipped up to the next segment; nothing in a line makes it throw. Pure.

import {
  DECISION_FORMAT,
  type DecisionLine,
  type KeyLine,
  type PartLine,
  type PassLine,
} from './decision-format.ts';
import { Misfit, Page } from './decision-page.ts';
import type { Plan, Snapshot } from './snapshot.ts';

export interface Decision {
  readonly kind: 'decision';
  readonly term: number;
  /** Of all passes of its term. */
  readonly pass: number;
  /** Of the rules of planning that it was decided by (PLAN_VERSION). */
  readonly rulesVersion: number;
  readonly snapshot: Snapshot;
  readonly now: number;
  readonly seed: number;
  readonly made: Pick<Plan, 'placements' | 'preemptions'>;
}

/** Something is missing here. */
export interface Gap {
  readonly kind: 'gap';
  readonly why: string;
  /** Passes that were left out; null when it cannot be known. */
  readonly passes: number | null;
}

interface OpenSegment {
  readonly key: KeyLine;
  readonly page: Page;
  next: number;
}

export class DecisionReader {
  #open: OpenSegment | null = null;
  #lines = 0;
  /** Lines skipped since the last gap was told. */
  #isSkipping = false;

  /** What the line leads to; null for one that is only a part, or is skipped for a reason told before. */
  take(line: string): Decision | Gap | null {
    return this.#guarded(() => parse(line));
  }

  /** The same for a line that is parsed already, also as the API wraps it: `{"id":…,"record":…}`. */
  takeValue(value: unknown): Decision | Gap | null {
    return this.#guarded(() => value);
  }

  #guarded(read: () => unknown): Decision | Gap | null {
    this.#lines += 1;
    try {
      const value = read() as { record?: unknown };
      return this.#take((value.record ?? value) as DecisionLine);
    } catch (error) {
      const why = error instanceof Misfit ? error.message : 'it is not a record of decisions';
      return this.#skip(`line ${this.#lines} cannot be read: ${why}`);
    }
  }

  #take(line: DecisionLine): Decision | Gap | null {
    switch (line.kind) {
      case 'key':
        return this.#begin(line);
      case 'note':
        return { kind: 'gap', why: String(line.why), passes: Number(line.passes) };
      case 'part':
      case 'pass':
        return this.#goOn(line);
      default:
        throw new Misfit('its kind is not known');
    }
  }

  #begin(key: KeyLine): Gap | null {
    this.#isSkipping = false;
    if (key.format !== DECISION_FORMAT) {
      const versions = `format ${key.format}, and this program reads format ${DECISION_FORMAT}`;
      return this.#skip(`line ${this.#lines} begins records of ${versions}`);
    }
    this.#open = { key, page: new Page(), next: 1 };
    return null;
  }

  #goOn(line: PartLine | PassLine): Decision | Gap | null {
    const open = this.#open;
    if (!open) {
      return this.#skip(`the records up to the next full picture need what was before line ${this.#lines}`);
    }
    const isNext = line.term === open.key.term && line.segment === open.key.segment && line.n === open.next;
    if (!isNext) return this.#skip(`records are missing before line ${this.#lines}`);
    open.next += 1;
    open.page.take(line, line.at);
    if (line.kind === 'part') return null;
    const { term, rules_version: rulesVersion } = open.key;
    return { kind: 'decision', term, pass: line.pass, rulesVersion, now: line.at, ...open.page.pass(line) };
  }

  /** Until the next key. */
  #skip(why: string): Gap | null {
    this.#open = null;
    if (this.#isSkipping) return null;
    this.#isSkipping = true;
    return { kind: 'gap', why, passes: null };
  }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    throw new Misfit('it is not JSON');
  }
}
