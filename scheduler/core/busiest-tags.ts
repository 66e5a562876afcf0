// Which tags have a series of their own: the busiest lately, so that whoever invents a tag for each task makes no series
// for each. Pure. A tag that gives way loses its series and comes back with an empty one; no count of another tag, and not
// that of the rest, is touched by it, so no rate shows what did not happen.

import { MOST_TAGS, NO_TAG, OTHER_TAGS } from '../../shared/model/cluster-counts.ts';

/** Tags that may be on their way up. */
const MOST_CANDIDATES = 10 * MOST_TAGS;
/** After so many observations all that came before counts half. */
const HALVE_AFTER = 5_000;
/** So much busier a tag must be than the least busy of the shown. */
const FACTOR = 2;
const LEAST_LEAD = 10;

export class BusiestTags {
  readonly #most: number;
  #shown = new Map<string, number>();
  #candidates = new Map<string, number>();
  #observed = 0;

  /** @param shown those that have a series already */
  constructor(shown: Iterable<string> = [], most = MOST_TAGS) {
    this.#most = most;
    for (const tag of shown) if (tag !== OTHER_TAGS && this.#shown.size < most) this.#shown.set(tag, 1);
  }

  /** The name under which this one counts, and the tag that gave way for it, or null. */
  observe(tag: string): { readonly name: string; readonly dropped: string | null } {
    const name = tag === '' ? NO_TAG : tag;
    this.#observed += 1;
    if (this.#observed % HALVE_AFTER === 0) this.#halve();
    const score = this.#shown.get(name);
    if (score !== undefined || this.#shown.size < this.#most) {
      this.#shown.set(name, (score ?? 0) + 1);
      return { name, dropped: null };
    }
    const next = (this.#candidates.get(name) ?? 0) + 1;
    const [least, leastScore] = this.#least();
    if (next < FACTOR * leastScore + LEAST_LEAD) {
      this.#remember(name, next);
      return { name: OTHER_TAGS, dropped: null };
    }
    this.#candidates.delete(name);
    this.#shown.delete(least);
    this.#shown.set(name, next);
    this.#remember(least, leastScore);
    return { name, dropped: least };
  }

  #remember(name: string, score: number): void {
    this.#candidates.delete(name);
    // The one that was seen longest ago makes room.
    const oldest = this.#candidates.size < MOST_CANDIDATES ? undefined : this.#candidates.keys().next().value;
    if (oldest !== undefined) this.#candidates.delete(oldest);
    this.#candidates.set(name, score);
  }

  #least(): [name: string, score: number] {
    let least: [string, number] = ['', Number.POSITIVE_INFINITY];
    for (const one of this.#shown) if (one[1] < least[1]) least = one;
    return least;
  }

  #halve(): void {
    const half = (of: Map<string, number>) =>
      new Map([...of].map(([name, score]) => [name, Math.floor(score / 2)]));
    this.#shown = half(this.#shown);
    this.#candidates = new Map([...half(this.#candidates)].filter(([, score]) => score > 0));
  }
}
