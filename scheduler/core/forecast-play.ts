// Plays a full cluster on, end by end. Pure. See forecast.ts for what it is good for and what it leaves out.

import { meetsTerms } from '../../shared/model/labels.ts';
import { addResources, fits, type Resources, subtractResources } from '../../shared/model/resources.ts';
import type { PlanRules } from '../../shared/model/scheduling.ts';
import { groupKey } from './backlog.ts';
import { allows } from './fair-share.ts';
import { distanceTo, lesserOf } from './fit.ts';
import type { Running, Span, Waiting } from './forecast.ts';
import { headOf, type Line, Lines, NO_ROOM, type Owner, passedOverSince } from './forecast-lines.ts';
import { Heap } from './heap.ts';
import { RESERVE_FOR_MS, RESERVE_SHARE } from './reservations.ts';
import type { OwnerView, PlanMemory, WorkerView } from './snapshot.ts';

export interface Play {
  /** In order of id, with all that was placed at `now`. */
  readonly workers: readonly WorkerView[];
  /** The same. */
  readonly running: readonly Running[];
  readonly owners: ReadonlyMap<string, OwnerView>;
  /** None that is due may go anywhere. */
  readonly waiting: readonly Waiting[];
  /** Keys of the lines of which some were placed at `now`. */
  readonly served: ReadonlySet<string>;
  readonly rules: PlanRules;
  readonly memory: PlanMemory;
  readonly spanOf: (span: Span) => number;
}

/** Comparisons of a task's need with a worker's room: some 20 ms. */
const LOOKS_MOST = 2_000_000;
/** Workers among which one is chosen to be kept, from the one that has just become free on. */
const KEEP_LOOKS = 100;
/** Who should start later than that is too far down to say. */
const HORIZON_MS = 30 * 24 * 3_600_000;

interface Happening {
  readonly at: number;
  position: number;
  /** Index of the worker that gets `room` back, or is no longer kept; −1: none. */
  readonly index: number;
  readonly room: Resources | null;
  /** Gets the same back of its quota. */
  readonly owner: Owner | null;
  /** May start from now on. */
  readonly ripe: Waiting | null;
}

/** When each starts, by id; who is not there does not start, or too late to be told. */
export function playOn(play: Play, now: number): Map<string, number> {
  const starts = new Map<string, number>();
  const floor = new Floor(play, now, starts);
  for (let left = play.waiting.length; left > starts.size; ) {
    if (!floor.step()) break;
  }
  return starts;
}

class Floor {
  readonly #play: Play;
  readonly #starts: Map<string, number>;
  readonly #open: readonly WorkerView[];
  readonly #free: Resources[];
  readonly #happenings = new Heap<Happening>((a, b) => a.at < b.at || (a.at === b.at && a.index < b.index));
  readonly #lines: Lines;
  readonly #keptFor = new Map<number, { readonly line: Line; readonly until: number }>();
  readonly #mostKept: number;
  readonly #end: number;
  #looks = 0;

  constructor(play: Play, now: number, starts: Map<string, number>) {
    this.#play = play;
    this.#starts = starts;
    this.#end = now + HORIZON_MS;
    this.#open = play.workers.filter(({ state }) => state === 'ready');
    this.#free = this.#open.map(({ free }) => free);
    this.#mostKept = Math.max(1, Math.floor(this.#open.length * RESERVE_SHARE));
    this.#lines = new Lines({ ...play, ageingMs: play.rules.ageingMs });
    const indexOf = new Map(this.#open.map(({ id }, index) => [id, index]));
    for (const { ownerId, workerId, resources: room, rest } of play.running) {
      const index = indexOf.get(workerId) ?? -1;
      const owner = this.#lines.owner(ownerId);
      if (index !== -1 || owner.quota) this.#happen({ at: now + play.spanOf(rest), index, room, owner });
    }
    for (const task of play.waiting) {
      if (task.notBefore > now) this.#happen({ at: task.notBefore, ripe: task });
      else this.#lines.add(task, play.served.has(groupKey(task)) ? now : 0);
    }
    this.#lines.standAll(now);
    // Who waits for quota alone may have room anywhere.
    for (const line of this.#lines.standing) if (!isWithinQuota(line)) line.roomAt = 0;
    for (const { workerId, groupKey: key, since, until, tried } of play.memory.reservations) {
      const index = indexOf.get(workerId);
      const line = this.#lines.get(key);
      if (index === undefined || !line || line.servedAt > since) continue;
      line.tried = tried.flatMap((id) => indexOf.get(id) ?? []);
      this.#setKept(line, index, since, Math.max(now, until));
      if (until <= now) this.#letGo(line, index);
    }
  }

  /** All that happens at the next moment. False when nothing more does, or it has gone on for long enough. */
  step(): boolean {
    const at = this.#happenings.peek()?.at;
    if (at === undefined || at > this.#end || this.#looks > LOOKS_MOST) return false;
    const touched = new Set<number>();
    const eased = new Set<Owner>();
    const ripened: Line[] = [];
    for (let next = this.#happenings.peek(); next && next.at === at; next = this.#happenings.peek()) {
      this.#happenings.remove(next);
      const { index, room, owner, ripe } = next;
      if (index !== -1) touched.add(index);
      const kept = this.#keptFor.get(index);
      if (kept && kept.until <= at) this.#letGo(kept.line, index);
      if (index !== -1 && room) this.#giveBack(index, room);
      if (owner && room) owner.held = subtractResources(owner.held, room);
      if (owner?.quota) eased.add(owner);
      if (ripe) ripened.push(this.#join(ripe, at));
    }
    this.#lines.refresh(at);
    for (const index of [...touched].sort((a, b) => a - b)) this.#fill(index, at);
    // Most workers are as full as they were, so only who has just come, or may take more again, is offered to all of them.
    for (const line of ripened) this.#offer(line, at);
    if (eased.size > 0) {
      for (const line of [...this.#lines.standing]) if (eased.has(line.owner)) this.#offer(line, at);
    }
    return true;
  }

  /** Gives the worker what may go there, the first in line first. */
  #fill(index: number, at: number): void {
    const { standing } = this.#lines;
    for (let place = 0; place < standing.length; ) {
      const line = standing[place] as Line;
      this.#looks += 1;
      if (this.#mayTake(line, index)) {
        if (isWithinQuota(line)) {
          const now = this.#start(line, place, index, at);
          if (now !== -1 && now < place) place = now;
          continue;
        }
        line.roomAt = index;
      } else if (isWithinQuota(line)) this.#keep(line, index, at);
      place += 1;
    }
  }

  /** Gives it whatever worker has room for it. */
  #offer(line: Line, at: number): void {
    const { length } = this.#open;
    const from = line.roomAt;
    if (from === NO_ROOM) return;
    for (let step = 0; step < length; step += 1) {
      const index = from + step < length ? from + step : from + step - length;
      this.#looks += 1;
      while (line.head < line.members.length && isWithinQuota(line) && this.#mayTake(line, index)) {
        this.#start(line, this.#lines.standing.indexOf(line), index, at);
      }
      if (line.head >= line.members.length) return;
      if (!isWithinQuota(line)) {
        line.roomAt = index;
        return;
      }
    }
    line.roomAt = NO_ROOM;
  }

  /** But for the quota of its owner. */
  #mayTake(line: Line, index: number): boolean {
    if (!fits(line.need, this.#free[index] as Resources) || !this.#isAllowed(line, index)) return false;
    const kept = this.#keptFor.get(index);
    return kept === undefined || kept.line === line;
  }

  /** Keeps a worker for a head that has waited too long, the one with the least in the way, as reservations.ts does. */
  #keep(line: Line, from: number, at: number): void {
    if (at < line.restsUntil || at - passedOverSince(line) < this.#play.rules.reserveAfterMs) return;
    if (line.keeps !== -1 || this.#keptFor.size >= this.#mostKept) return;
    const lastsMs = line.keptForMs === 0 ? RESERVE_FOR_MS : 2 * line.keptForMs;
    let index = this.#chooseToKeep(line, from, line.tried);
    if (index === -1 && line.tried.length > 0) {
      // All were tried: the others have their turn for as long as the last one took.
      line.restsUntil = line.keptUntil + line.keptForMs;
      if (at < line.restsUntil) return;
      line.tried = [];
      index = this.#chooseToKeep(line, from, []);
    }
    if (index !== -1) this.#setKept(line, index, at, at + lastsMs);
  }

  #chooseToKeep(line: Line, from: number, tried: readonly number[]): number {
    let [best, least] = [-1, Number.POSITIVE_INFINITY];
    const { length } = this.#open;
    for (let step = 0; step < Math.min(length, KEEP_LOOKS); step += 1) {
      const index = from + step < length ? from + step : from + step - length;
      const { capacity } = this.#open[index] as WorkerView;
      if (this.#keptFor.has(index) || tried.includes(index)) continue;
      if (!this.#isAllowed(line, index) || !fits(line.need, capacity)) continue;
      const far = distanceTo(line.need, this.#free[index] as Resources);
      if (far < least) [best, least] = [index, far];
    }
    this.#looks += Math.min(length, KEEP_LOOKS);
    return best;
  }

  #setKept(line: Line, index: number, since: number, until: number): void {
    this.#keptFor.set(index, { line, until });
    line.keeps = index;
    line.keptForMs = until - since;
    line.keptUntil = until;
    // Whoever was kept out has another look then.
    this.#happen({ at: until, index });
  }

  /** It was kept in vain. */
  #letGo(line: Line, index: number): void {
    this.#keptFor.delete(index);
    line.keeps = -1;
    line.tried.push(index);
  }

  #isAllowed({ worker, constraints }: Line, index: number): boolean {
    const { id, labels } = this.#open[index] as WorkerView;
    return (worker === null || worker === id) && meetsTerms(constraints, labels);
  }

  /** Returns where the line stands then; −1: nobody is left in it. */
  #start(line: Line, place: number, index: number, at: number): number {
    const task = headOf(line);
    this.#starts.set(task.id, Math.round(at));
    this.#free[index] = subtractResources(this.#free[index] as Resources, line.need);
    line.owner.held = addResources(line.owner.held, line.need);
    const end = at + Math.max(1, this.#play.spanOf(task.run));
    this.#happen({ at: end, index, room: line.need, owner: line.owner });
    // It went elsewhere: others may have room where it was kept.
    if (line.keeps !== -1 && line.keeps !== index) this.#happen({ at, index: line.keeps });
    this.#keptFor.delete(line.keeps);
    line.keeps = -1;
    return this.#lines.serve(place, at);
  }

  /** Never more than there is: a worker may have come back smaller than what it was given. */
  #giveBack(index: number, room: Resources): void {
    const { capacity } = this.#open[index] as WorkerView;
    this.#free[index] = lesserOf(addResources(this.#free[index] as Resources, room), capacity);
  }

  /** Its back-off is over. */
  #join(task: Waiting, at: number): Line {
    const line = this.#lines.add(task);
    line.roomAt = 0;
    this.#lines.stand(line, at);
    return line;
  }

  #happen({ at, ...of }: { readonly at: number } & Partial<Omit<Happening, 'position'>>): void {
    this.#happenings.push({ at, position: -1, index: -1, room: null, owner: null, ripe: null, ...of });
  }
}

function isWithinQuota({ owner, need }: Line): boolean {
  return allows(owner.quota, owner.held, need);
}
