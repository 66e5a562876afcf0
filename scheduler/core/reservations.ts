// Starvation guard. Small tasks that keep coming would take every piece of room that a large one needs together.
// So the head of a group that has waited longer than RESERVE_AFTER_MS, fits nowhere now but fits a ready worker
// when empty, gets such a worker reserved: nobody else is placed there until it fits. Pure.
//
// - At most RESERVE_SHARE of the ready workers are reserved at a time (at least one).
// - A reservation lasts RESERVE_FOR_MS, then pauses as long, then another may be made: a worker on which
//   something runs without end is not kept empty for ever.
// - It stands over passes as long as the same task heads the group and the worker is ready and large enough.

import { fits } from '../../shared/model/resources.ts';
import type { Reservation } from '../../shared/model/scheduling.ts';
import { distanceTo } from './fit.ts';
import type { Group, GroupEntry, WorkerView } from './snapshot.ts';

export const RESERVE_AFTER_MS = 60_000;
export const RESERVE_FOR_MS = 600_000;
/** Part of the ready workers. */
export const RESERVE_SHARE = 0.25;

export interface Floor {
  /** Ready workers in order of id. */
  readonly open: readonly WorkerView[];
  /** Free amounts by index in `open`, as of this moment of the pass. */
  readonly free: readonly WorkerView['free'][];
  readonly indexOf: (workerId: string) => number | undefined;
}

export class Reservations {
  readonly #floor: Floor;
  readonly #now: number;
  readonly #earlier: ReadonlyMap<string, Reservation>;
  /** Index of a worker → key of the group it is kept for, in this pass. */
  readonly #keptFor = new Map<number, string>();
  readonly #standing = new Map<string, Reservation>();
  readonly #most: number;

  constructor(floor: Floor, earlier: readonly Reservation[], now: number) {
    this.#floor = floor;
    this.#now = now;
    this.#earlier = new Map(earlier.map((one) => [one.groupKey, one]));
    this.#most = Math.max(1, Math.floor(floor.open.length * RESERVE_SHARE));
  }

  /** Takes up the group's reservation of an earlier pass if it still stands. Before anything is placed. */
  resume(group: Group, head: GroupEntry): void {
    const one = this.#earlier.get(group.key);
    if (!one || one.taskId !== head.id || this.#now - one.since >= 2 * RESERVE_FOR_MS) return;
    const index = this.#floor.indexOf(one.workerId);
    const worker = index === undefined ? undefined : this.#floor.open[index];
    if (index === undefined || !worker || !fits(group.need, worker.capacity)) return;
    if (!this.#holds(one)) this.#standing.set(group.key, one);
    else if (this.#keptFor.size < this.#most && !this.#keptFor.has(index)) {
      this.#standing.set(group.key, one);
      this.#keptFor.set(index, group.key);
    }
  }

  /** True when the worker is kept for another group. */
  bars(index: number, group: Group): boolean {
    if (this.#keptFor.size === 0) return false;
    const key = this.#keptFor.get(index);
    return key !== undefined && key !== group.key;
  }

  isStarving(head: GroupEntry): boolean {
    return this.#now - Math.max(head.queuedAt, head.notBefore) >= RESERVE_AFTER_MS;
  }

  /** The head fits nowhere. True when a worker is kept for it from now on. */
  reserve(group: Group, head: GroupEntry): boolean {
    const standing = this.#standing.get(group.key);
    if (standing) return this.#holds(standing);
    if (!this.isStarving(head) || this.#keptFor.size >= this.#most) return false;
    const index = this.#choose(group);
    const worker = this.#floor.open[index];
    if (!worker) return false;
    this.#keptFor.set(index, group.key);
    this.#standing.set(group.key, {
      workerId: worker.id,
      groupKey: group.key,
      taskId: head.id,
      since: this.#now,
    });
    return true;
  }

  /**
   * The head was placed. True when that ended a reservation; its worker stays closed to others for the rest of
   * this pass.
   */
  fulfil(group: Group): boolean {
    return this.#standing.delete(group.key);
  }

  /** For the next pass. */
  list(): Reservation[] {
    return [...this.#standing.values()];
  }

  #holds(one: Reservation): boolean {
    return this.#now - one.since < RESERVE_FOR_MS;
  }

  /** The worker with the least in the way, among those that are large enough and kept for nobody; −1 if none. */
  #choose({ need, worker: target }: Group): number {
    const { open, free, indexOf } = this.#floor;
    const only = target === null ? null : (indexOf(target) ?? -1);
    let best = -1;
    let least = Number.POSITIVE_INFINITY;
    for (let index = only ?? 0; index < (only === null ? open.length : only + 1); index += 1) {
      const worker = open[index];
      const room = free[index];
      if (!worker || !room || this.#keptFor.has(index) || !fits(need, worker.capacity)) continue;
      const far = distanceTo(need, room);
      if (far < least) [best, least] = [index, far];
    }
    return best;
  }
}
