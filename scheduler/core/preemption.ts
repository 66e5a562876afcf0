// Whom a head of high priority may send away, when it fits nowhere. Opt-in (`rules.preemption`). Pure.
//
// Only tasks of lower priority (as given, without ageing) go, and only on one worker: the one where the highest priority
// among those that have to go is lowest, then where they are fewest. Of a worker's tasks the lowest priority goes first,
// then the youngest, which loses the least work; whoever turns out not to be needed stays. Those that are leaving already
// count as gone. The worker is kept for the head meanwhile (reservations.ts).
// Source: as Borg and Kubernetes choose victims (A. Verma et al., "Large-scale cluster management at Google with Borg", 2015).

import {
  addResources,
  fits,
  NO_RESOURCES,
  type Resources,
  subtractResources,
} from '../../shared/model/resources.ts';
import type { Floor } from './floor.ts';
import type { Reservations } from './reservations.ts';
import type { Group, GroupEntry, Holding, Preemption, Snapshot } from './snapshot.ts';

/** Workers that are looked at for one head. */
const LOOKED_MOST = 256;
/** Heads of one pass for which room is made; the others have their turn in the next. */
const HEADS_MOST = 64;
/** Workers that are judged in one pass, some microseconds each: a full cluster must not cost the leader its lease. */
const JUDGED_MOST = 16_384;

interface Choice {
  readonly index: number;
  readonly victims: readonly Holding[];
  readonly highest: number;
}

/** What runs on a worker, looked up once in a pass. */
interface Occupants {
  /** What those that are leaving give back. */
  readonly leaving: Resources | null;
  /** In the order in which they would have to go. */
  readonly others: readonly Holding[];
}

export class Preemptions {
  readonly #floor: Floor;
  readonly #reservations: Reservations;
  readonly #holdingsOf: Snapshot['holdingsOf'];
  readonly #made: Preemption[] = [];
  readonly #occupants = new Map<number, Occupants>();
  #heads = 0;
  #judged = 0;

  constructor(floor: Floor, reservations: Reservations, holdingsOf: Snapshot['holdingsOf']) {
    this.#floor = floor;
    this.#reservations = reservations;
    this.#holdingsOf = holdingsOf;
  }

  list(): readonly Preemption[] {
    return this.#made;
  }

  /** True when room is being made for the head on a worker that is kept for it. */
  makeRoom(group: Group, head: GroupEntry, start: number): boolean {
    if (this.#heads >= HEADS_MOST) return false;
    const kept = this.#reservations.keptFor(group);
    const choice = (kept === undefined ? null : this.#judge(group, kept)) ?? this.#choose(group, start);
    if (!choice) return false;
    this.#heads += 1;
    this.#reservations.reserveAt(choice.index, group, head);
    for (const { taskId, attempt, workerId } of choice.victims) {
      this.#made.push({ taskId, attempt, workerId, forTask: head.id });
    }
    return true;
  }

  #choose(group: Group, start: number): Choice | null {
    const labels = this.#floor.classOf(group.labels);
    const only = group.worker === null ? null : (this.#floor.indexOf(group.worker) ?? -1);
    let best: Choice | null = null;
    let looked = 0;
    const look = (index: number): boolean => {
      if (labels?.level(index) === 0 || this.#reservations.bars(index, group)) return false;
      looked += 1;
      const choice = this.#judge(group, index);
      if (choice && (!best || isBetter(choice, best))) best = choice;
      return looked >= LOOKED_MOST;
    };
    if (only !== null) {
      if (only >= 0 && this.#floor.whole.fits(group.need, only)) look(only);
      return best;
    }
    const { whole, size } = this.#floor;
    const end = whole.find(group.need, start, size, look, null);
    if (end === -1) whole.find(group.need, 0, start, look, null);
    return best;
  }

  /** Null when even without all of lower priority there is no room. */
  #judge({ need, priority }: Group, index: number): Choice | null {
    const { leaving, others } = this.#occupantsOf(index);
    const [first] = others;
    if (leaving === null && (first === undefined || first.priority >= priority)) return null;
    if (this.#judged >= JUDGED_MOST) return null;
    this.#judged += 1;
    let room = this.#floor.room.at(index);
    if (leaving !== null) room = addResources(room, leaving);
    const victims: Holding[] = [];
    for (const holding of others) {
      if (holding.priority >= priority || fits(need, room)) break;
      victims.push(holding);
      room = addResources(room, holding.resources);
    }
    if (!fits(need, room)) return null;
    const needed = withoutIdle(victims, need, room);
    return { index, victims: needed, highest: Math.max(-1, ...needed.map((victim) => victim.priority)) };
  }

  #occupantsOf(index: number): Occupants {
    const known = this.#occupants.get(index);
    if (known) return known;
    let leaving: Resources | null = null;
    const others: Holding[] = [];
    for (const holding of this.#holdingsOf(this.#floor.worker(index).id)) {
      if (holding.isLeaving) leaving = addResources(leaving ?? NO_RESOURCES, holding.resources);
      else others.push(holding);
    }
    const made = { leaving, others: others.sort(goesBefore) };
    this.#occupants.set(index, made);
    return made;
  }
}

/** The last ones chosen matter most: whoever of them is not needed after all stays. */
function withoutIdle(victims: readonly Holding[], need: Resources, roomWith: Resources): Holding[] {
  let room = roomWith;
  return [...victims].reverse().filter(({ resources }) => {
    const less = subtractResources(room, resources);
    if (!fits(need, less)) return true;
    room = less;
    return false;
  });
}

function goesBefore(a: Holding, b: Holding): number {
  if (a.priority !== b.priority) return a.priority - b.priority;
  if (a.assignedAt !== b.assignedAt) return b.assignedAt - a.assignedAt;
  return a.taskId < b.taskId ? -1 : 1;
}

function isBetter(a: Choice, b: Choice): boolean {
  return a.highest === b.highest ? a.victims.length < b.victims.length : a.highest < b.highest;
}
