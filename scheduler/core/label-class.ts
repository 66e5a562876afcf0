// Which of the workers meet the labels that a line demands, and how many of those it prefers. Pure.
//
// Worked out for all workers at once, from the lists of who has which label: thousands of lines may demand different
// labels, and comparing the labels of each worker with each demand would take a pass for seconds.

import type { LabelDemand, LabelTerms } from '../../shared/model/labels.ts';
import { isMountTerm, namesAbove } from '../../shared/model/mounts.ts';
import { BLOCK } from './room.ts';
import type { WorkerView } from './snapshot.ts';

/** More preferences than that make no worker better. */
const MOST_PREFERRED = 250;

/** By name and value of a label: the indexes of the workers that have it. */
export type LabelHolders = ReadonlyMap<string, ReadonlyMap<string, readonly number[]>>;

export function labelHolders(workers: readonly WorkerView[]): LabelHolders {
  const all = new Map<string, Map<string, number[]>>();
  for (const [index, { labels }] of workers.entries()) {
    for (const name in labels) {
      const value = labels[name] as string;
      const values = all.get(name) ?? new Map<string, number[]>();
      const holders = values.get(value);
      if (holders) holders.push(index);
      else values.set(value, [index]);
      all.set(name, values);
    }
  }
  return all;
}

export class LabelClass {
  /** By index of the worker. 0: not allowed; else one more than the preferences that are met. */
  readonly #levels: Uint8Array;
  /** Blocks without any worker that is allowed. */
  readonly closed: Uint8Array;
  /** The levels that occur, the best first. */
  readonly ranks: readonly number[];

  /** @param size how many workers there are */
  constructor({ constraints, prefer }: LabelDemand, size: number, holders: LabelHolders) {
    const met = new Uint8Array(size);
    this.#levels = new Uint8Array(size);
    this.closed = new Uint8Array(Math.ceil(size / BLOCK)).fill(1);
    eachHolder(constraints, holders, (index) => {
      met[index] = (met[index] as number) + 1;
    });
    const all = Object.keys(constraints).length;
    for (let index = 0; index < size; index += 1) {
      if (met[index] !== all) continue;
      this.#levels[index] = 1;
      this.closed[Math.floor(index / BLOCK)] = 0;
    }
    eachHolder(prefer, holders, (index) => {
      const level = this.#levels[index] as number;
      if (level > 0 && level <= MOST_PREFERRED) this.#levels[index] = level + 1;
    });
    this.ranks = ranksOf(this.#levels);
  }

  /** False when no worker is allowed. */
  get isMet(): boolean {
    return this.ranks.length > 0;
  }

  level(index: number): number {
    return this.#levels[index] as number;
  }
}

function ranksOf(levels: Uint8Array): number[] {
  const occurs = new Uint8Array(MOST_PREFERRED + 2);
  for (let index = 0; index < levels.length; index += 1) occurs[levels[index] as number] = 1;
  const ranks: number[] = [];
  for (let level = occurs.length - 1; level > 0; level -= 1) if (occurs[level] === 1) ranks.push(level);
  return ranks;
}

/** Each worker once for each term that it meets: it has one value of a label. */
function eachHolder(terms: LabelTerms, holders: LabelHolders, visit: (index: number) => void): void {
  for (const name in terms) {
    const wanted = new Set(terms[name]);
    if (isMountTerm(name)) {
      eachNearestHolder(name, wanted, holders, visit);
      continue;
    }
    const values = holders.get(name);
    for (const value of wanted) for (const index of values?.get(value) ?? []) visit(index);
  }
}

/** Of folders one inside another the nearest decides, for each worker. */
function eachNearestHolder(
  name: string,
  wanted: ReadonlySet<string>,
  holders: LabelHolders,
  visit: (index: number) => void,
): void {
  const decided = new Set<number>();
  for (const above of namesAbove(name)) {
    for (const [value, indexes] of holders.get(above) ?? []) {
      for (const index of indexes) {
        if (decided.has(index)) continue;
        decided.add(index);
        if (wanted.has(value)) visit(index);
      }
    }
  }
}

/** Whether some worker may meet each term, though maybe not the same one. */
export function mayBeMet(terms: LabelTerms, holders: LabelHolders): boolean {
  for (const name in terms) {
    const names = isMountTerm(name) ? [...namesAbove(name)] : [name];
    const wanted = terms[name] as readonly string[];
    if (!names.some((one) => wanted.some((value) => holders.get(one)?.has(value)))) return false;
  }
  return true;
}
