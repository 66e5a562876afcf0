// Which worker a head gets. Pure.
//
// Among the ready workers that its labels allow, that have room and are kept for nobody else, those that meet most of
// what the line prefers; among these the policy decides (policies.ts), and a tie goes to a worker that has the image.
//   round-robin  the next in rotation. All that were not given anything lately are alike, so one of them that has the
//                image goes before the next in rotation.
//   best-fit     looks at the first SCORED_MOST with room, from the beginning of the list, so that the same workers are
//                filled up. Exact in a cluster of that size; in a larger one those at the end stay empty.
//   spread       looks at the next SCORED_MOST with room in rotation. The best of so many random choices is almost the best
//                of all (M. Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 2001).

import type { PolicyName } from '../../shared/model/scheduling.ts';
import type { Floor } from './floor.ts';
import type { LabelClass } from './label-class.ts';
import { type Score, scoreOf } from './policies.ts';
import type { Reservations } from './reservations.ts';
import type { Group, GroupEntry } from './snapshot.ts';

const SCORED_MOST = 64;
/** Workers with the image that are looked at for one task. */
const HOLDERS_MOST = 16;
/** Workers that were given something lately, as far as is remembered. */
const RECENT_MOST = 64;
const TIE = 1e-9;

export interface CandidatesParts {
  readonly floor: Floor;
  readonly reservations: Reservations;
  readonly policy: PolicyName;
  /** The newest at the end. */
  readonly recent: readonly string[];
  readonly seed: number;
}

export class Candidates {
  readonly #floor: Floor;
  readonly #reservations: Reservations;
  readonly #policy: PolicyName;
  readonly #score: Score | null;
  readonly #recent: Set<string>;
  /** Where the rotation goes on. */
  #next: number;

  constructor({ floor, reservations, policy, recent, seed }: CandidatesParts) {
    this.#floor = floor;
    this.#reservations = reservations;
    this.#policy = policy;
    this.#score = scoreOf(policy);
    this.#recent = new Set(recent);
    this.#next = firstInRotation(floor, recent.at(-1), seed);
  }

  /** Index at which the rotation goes on. */
  get next(): number {
    return this.#next;
  }

  /** Ids, for the next pass. */
  get recent(): string[] {
    return [...this.#recent];
  }

  /** Index of the worker; −1 when there is none with room. */
  choose(group: Group, head: GroupEntry): number {
    const { need, worker } = group;
    const labels = this.#floor.classOf(group.labels);
    if (worker !== null) {
      const index = this.#floor.indexOf(worker);
      return index !== undefined && this.#mayTake(group, index, labels, null) ? index : -1;
    }
    if (!this.#floor.room.mayFit(need)) return -1;
    const hasPreferences = Object.keys(group.labels.prefer).length > 0;
    for (const level of labels && hasPreferences ? labels.ranks : [null]) {
      const index = this.#score
        ? this.#best(group, head, labels, level, this.#score)
        : this.#nextInRotation(group, head, labels, level);
      if (index !== -1) return index;
    }
    return -1;
  }

  /** A task was given to it. */
  took(index: number, group: Group): void {
    if (group.worker !== null) return;
    const { id } = this.#floor.worker(index);
    this.#next = index + 1 < this.#floor.size ? index + 1 : 0;
    this.#recent.delete(id);
    this.#recent.add(id);
    if (this.#recent.size <= RECENT_MOST) return;
    for (const oldest of this.#recent) {
      this.#recent.delete(oldest);
      break;
    }
  }

  #mayTake(group: Group, index: number, labels: LabelClass | null, level: number | null): boolean {
    return this.#floor.room.fits(group.need, index) && this.#isOpen(group, index, labels, level);
  }

  #isOpen(group: Group, index: number, labels: LabelClass | null, level: number | null): boolean {
    if (labels) {
      const met = labels.level(index);
      if (met === 0 || (level !== null && met !== level)) return false;
    }
    return !this.#reservations.bars(index, group);
  }

  #nextInRotation(group: Group, head: GroupEntry, labels: LabelClass | null, level: number | null): number {
    const first = this.#find(group, labels, level, this.#next);
    if (first === -1) return -1;
    const holders = this.#floor.holdersOf(head.image);
    if (holders.length === 0 || holders.includes(first)) return first;
    return this.#holderInTurn(group, labels, level, holders) ?? first;
  }

  /** One that has the image and was given nothing lately. */
  #holderInTurn(
    group: Group,
    labels: LabelClass | null,
    level: number | null,
    holders: readonly number[],
  ): number | undefined {
    // Of a small cluster all but one may have been served lately: the one that is left is next anyway.
    const lately = new Set([...this.#recent].slice(-Math.min(RECENT_MOST, this.#floor.size - 1)));
    return holders
      .slice(0, HOLDERS_MOST)
      .find(
        (index) => !lately.has(this.#floor.worker(index).id) && this.#mayTake(group, index, labels, level),
      );
  }

  #best(
    group: Group,
    head: GroupEntry,
    labels: LabelClass | null,
    level: number | null,
    score: Score,
  ): number {
    const holders = this.#floor.holdersOf(head.image);
    const has = new Set(holders);
    let [best, least] = [-1, Number.POSITIVE_INFINITY];
    const offer = (index: number) => {
      const points = score(group.need, this.#floor.room.at(index), this.#floor.worker(index).capacity);
      const isTie = Math.abs(points - least) <= TIE;
      if (isTie ? has.has(index) && !has.has(best) : points < least) [best, least] = [index, points];
    };
    const start = this.#policy === 'spread' ? this.#next : 0;
    let looked = 0;
    for (const [from, to] of [
      [start, this.#floor.size],
      [0, start],
    ] as const) {
      for (let at = from; at < to && looked < SCORED_MOST; looked += 1) {
        const index = this.#seek(group, labels, level, at, to);
        if (index === -1) break;
        offer(index);
        at = index + 1;
      }
    }
    for (const index of holders.slice(0, HOLDERS_MOST)) {
      if (this.#mayTake(group, index, labels, level)) offer(index);
    }
    return best;
  }

  /** The first from `start` on, around the end of the list. */
  #find(group: Group, labels: LabelClass | null, level: number | null, start: number): number {
    const index = this.#seek(group, labels, level, start, this.#floor.size);
    return index === -1 ? this.#seek(group, labels, level, 0, start) : index;
  }

  #seek(group: Group, labels: LabelClass | null, level: number | null, from: number, to: number): number {
    const accept = (index: number) => this.#isOpen(group, index, labels, level);
    return this.#floor.room.find(group.need, from, to, accept, labels?.closed ?? null);
  }
}

function firstInRotation(floor: Floor, last: string | undefined, seed: number): number {
  if (floor.size === 0) return 0;
  if (last === undefined) return seed % floor.size;
  return Math.max(
    floor.open.findIndex(({ id }) => id > last),
    0,
  );
}
