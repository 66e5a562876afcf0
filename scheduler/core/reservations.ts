// Starvation guard. Small tasks that keep coming would take every piece of room that a large one needs together.
// So the head of a line that has been passed over for longer than `reserveAfterMs`, fits nowhere now but fits a ready
// worker when empty, gets such a worker reserved: nobody else is placed there until it fits. Pure.
//
// - At most RESERVE_SHARE of the ready workers are reserved at a time (at least one). Those that have been passed over for
//   longest come first, whatever their priority.
// - A reservation lasts RESERVE_FOR_MS; then another worker is tried, twice as long, and so on. When all were tried, the
//   others have their turn for as long as the last one took, before it begins anew. So a worker on which something runs
//   without end is not kept for ever, and one whose tasks end is kept for long enough sooner or later.
// - The bound. Where the longest run is D, a reservation of D or more always ends in a placement. Those before it are
//   shorter than D and double, so they take less than 2 D together and the pauses as much: from its first reservation a
//   line waits less than B = 5 D, or B = D when D is less than RESERVE_FOR_MS. Before it come at most those L lines that
//   were waiting already and have not been served since, S workers at a time. So the head of a line that fits an empty
//   worker waits at most reserveAfterMs + (⌈L / S⌉ + 1) × B. Proven by starvation.test.ts.
// - It stands over passes as long as its line waits, the worker is ready, large enough and allowed, and the quota of the
//   owner allows the head: whoever waits for others of his own keeps no worker idle.

import type { PlanRules, Reservation } from '../../shared/model/scheduling.ts';
import type { FairShare } from './fair-share.ts';
import type { Floor } from './floor.ts';
import { passedOverMs } from './head-order.ts';
import type { Group, GroupEntry } from './snapshot.ts';

export const RESERVE_FOR_MS = 600_000;
/** Part of the ready workers. */
export const RESERVE_SHARE = 0.25;
/** No reservation lasts longer. */
const RESERVE_LONGEST_MS = 30 * 24 * 3_600_000;
/** Workers that are remembered as tried in vain. */
const TRIED_MOST = 16;
/** Looking for a worker to keep costs a look at all of them: so many lines in a pass, the others in the next. */
const NEW_MOST = 16;

export class Reservations {
  readonly #floor: Floor;
  readonly #shares: FairShare;
  readonly #rules: PlanRules;
  readonly #now: number;
  readonly #earlier: ReadonlyMap<string, Reservation>;
  /** Index of a worker → key of the line it is kept for, in this pass. */
  readonly #keptFor = new Map<number, string>();
  readonly #standing = new Map<string, Reservation>();
  readonly #most: number;
  /** Of lines that let others have their turn. */
  readonly #paused: Reservation[] = [];
  readonly #asked: { readonly group: Group; readonly head: GroupEntry; readonly passedMs: number }[] = [];
  #made = 0;

  constructor(
    floor: Floor,
    shares: FairShare,
    earlier: readonly Reservation[],
    rules: PlanRules,
    now: number,
  ) {
    this.#floor = floor;
    this.#shares = shares;
    this.#rules = rules;
    this.#now = now;
    this.#earlier = new Map(earlier.map((one) => [one.groupKey, one]));
    this.#most = Math.max(1, Math.floor(floor.size * RESERVE_SHARE));
  }

  /** Takes up the line's reservation of an earlier pass if it still stands. Before anything is placed. */
  resume(group: Group, head: GroupEntry): void {
    const one = this.#earlier.get(group.key);
    if (!one || group.servedAt > one.since || !this.#holds(one)) return;
    const index = this.#floor.indexOf(one.workerId);
    if (index === undefined || !this.#isLargeEnough(group, index) || this.#keptFor.has(index)) return;
    if (!this.#shares.mayHave(group.ownerId, group.need)) return;
    this.#keep(index, { ...one, taskId: head.id });
  }

  /** True when the worker is kept for another line. */
  bars(index: number, group: Group): boolean {
    if (this.#keptFor.size === 0) return false;
    const key = this.#keptFor.get(index);
    return key !== undefined && key !== group.key;
  }

  /** Index of the worker that is kept for the line. */
  keptFor(group: Group): number | undefined {
    const one = this.#standing.get(group.key);
    return one && this.#floor.indexOf(one.workerId);
  }

  isStarving(group: Group, head: GroupEntry): boolean {
    return passedOverMs(group, head, this.#now) >= this.#rules.reserveAfterMs;
  }

  /** True when a worker is kept for the line. */
  isKept(group: Group): boolean {
    return this.#standing.has(group.key);
  }

  /** The head is starving and fits nowhere. */
  ask(group: Group, head: GroupEntry): void {
    this.#asked.push({ group, head, passedMs: passedOverMs(group, head, this.#now) });
  }

  /** Keeps workers for those who asked, as far as there are any. Before anything is placed. */
  grant(): void {
    this.#asked.sort((a, b) => (a.passedMs === b.passedMs ? byId(a.head, b.head) : b.passedMs - a.passedMs));
    for (const { group, head } of this.#asked) this.#reserve(group, head);
  }

  #reserve(group: Group, head: GroupEntry): void {
    const earlier = this.#earlier.get(group.key);
    const before = earlier && group.servedAt <= earlier.since && !this.#holds(earlier) ? earlier : null;
    const lastedMs = before ? before.until - before.since : RESERVE_FOR_MS / 2;
    const tried = before ? [...before.tried, before.workerId] : [];
    const isFull = this.#keptFor.size >= this.#most || this.#made >= NEW_MOST;
    const fresh = isFull ? -1 : this.#choose(group, new Set(tried));
    if (isFull || (fresh === -1 && before && this.#now < before.until + lastedMs)) {
      // So that it is not forgotten for how long it was in vain.
      if (before) this.#paused.push(before);
      return;
    }
    const index = fresh === -1 ? this.#choose(group, new Set()) : fresh;
    if (index === -1) return;
    this.#made += 1;
    this.#keep(index, {
      workerId: this.#floor.worker(index).id,
      groupKey: group.key,
      taskId: head.id,
      since: this.#now,
      until: this.#now + Math.min(2 * lastedMs, RESERVE_LONGEST_MS),
      tried: fresh === -1 ? [] : tried.slice(-TRIED_MOST),
    });
  }

  /** Others have been told to leave this worker for the head. Whatever else was kept for it is kept no more. */
  reserveAt(index: number, group: Group, head: GroupEntry): void {
    const before = this.keptFor(group);
    if (before === index) return;
    if (before !== undefined) this.#keptFor.delete(before);
    this.#keep(index, {
      workerId: this.#floor.worker(index).id,
      groupKey: group.key,
      taskId: head.id,
      since: this.#now,
      until: this.#now + RESERVE_FOR_MS,
      tried: [],
    });
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
    return [...this.#standing.values(), ...this.#paused];
  }

  #keep(index: number, one: Reservation): void {
    this.#keptFor.set(index, one.groupKey);
    this.#standing.set(one.groupKey, one);
  }

  #holds(one: Reservation): boolean {
    return this.#now < one.until;
  }

  #isLargeEnough({ need, labels }: Group, index: number): boolean {
    return this.#floor.whole.fits(need, index) && this.#floor.classOf(labels)?.level(index) !== 0;
  }

  /** The worker with the least in the way, among those that are large enough and kept for nobody; −1 if none. */
  #choose(group: Group, without: ReadonlySet<string>): number {
    const only = group.worker === null ? null : (this.#floor.indexOf(group.worker) ?? -1);
    if (only === -1) return -1;
    const labels = this.#floor.classOf(group.labels);
    let [best, least] = [-1, Number.POSITIVE_INFINITY];
    const end = only === null ? this.#floor.size : only + 1;
    for (let index = only ?? 0; index < end; index += 1) {
      if (this.#keptFor.has(index) || !this.#floor.whole.fits(group.need, index)) continue;
      const far = this.#floor.room.distance(group.need, index);
      if (far >= least || without.has(this.#floor.worker(index).id)) continue;
      if (labels?.level(index) !== 0) [best, least] = [index, far];
    }
    return best;
  }
}

function byId(a: GroupEntry, b: GroupEntry): number {
  return a.id < b.id ? -1 : 1;
}
