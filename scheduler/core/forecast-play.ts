// Plays a full cluster on, end by end. Pure. See forecast.ts for what it is good for and what it leaves out.

import { addResources, fits, type Resources, subtractResources } from '../../shared/model/resources.ts';
import { DEFAULT_RULES } from '../../shared/model/scheduling.ts';
import { groupKey } from './backlog.ts';
import { distanceTo } from './fit.ts';
import type { Running, Span, Waiting } from './forecast.ts';
import { Heap } from './heap.ts';
import { RESERVE_FOR_MS, RESERVE_SHARE } from './reservations.ts';
import type { PlanMemory, WorkerView } from './snapshot.ts';

export interface Play {
  /** In order of id, with all that was placed at `now`. */
  readonly workers: readonly WorkerView[];
  readonly running: readonly Running[];
  /** In order of priority, then id; none that is due fits anywhere. */
  readonly waiting: readonly Waiting[];
  readonly memory: PlanMemory;
  readonly spanOf: (span: Span) => number;
}

/** Comparisons of a task's need with a worker's room: some 20 ms. */
const LOOKS_MOST = 2_000_000;
/** Workers among which one is chosen to be kept, from the one that has just become free on. */
const KEEP_LOOKS = 100;
/** Who should start later than that is too far down to say. */
const HORIZON_MS = 30 * 24 * 3_600_000;

interface Line {
  readonly key: string;
  readonly need: Resources;
  readonly worker: string | null;
  readonly priority: number;
  /** In order of id, those in back-off left out. */
  readonly tasks: Waiting[];
  /** Of the first in `tasks` that has not started. */
  head: number;
  /** Index of the worker that is kept for its head; −1: none. */
  keeps: number;
  /** Keeps no worker before. */
  reservesFrom: number;
}

interface Happening {
  readonly at: number;
  position: number;
  /** Index of the worker that gets `room` back, or is no longer kept; −1: `ripe` may start from now on. */
  readonly index: number;
  readonly room: Resources | null;
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
  readonly #lines = new Map<string, Line>();
  /** Lines with somebody in them, in order of their heads. */
  readonly #standing: Line[];
  readonly #keptFor = new Map<number, { readonly line: Line; readonly since: number }>();
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
    const indexOf = new Map(this.#open.map(({ id }, index) => [id, index]));
    for (const { workerId, resources, rest } of play.running) {
      const index = indexOf.get(workerId);
      if (index !== undefined) this.#happen(now + play.spanOf(rest), index, resources, null);
    }
    for (const task of play.waiting) {
      if (task.notBefore > now) this.#happen(task.notBefore, -1, null, task);
      else this.#lineOf(task).tasks.push(task);
    }
    this.#standing = [...this.#lines.values()].sort(byHead);
    for (const { workerId, groupKey: key, since } of play.memory.reservations) {
      const index = indexOf.get(workerId);
      const line = this.#lines.get(key);
      if (index !== undefined && line) this.#setKept(line, index, since);
    }
  }

  /** All that happens at the next moment. False when nothing more does, or it has gone on for long enough. */
  step(): boolean {
    const at = this.#happenings.peek()?.at;
    if (at === undefined || at > this.#end || this.#looks > LOOKS_MOST) return false;
    const touched = new Set<number>();
    const ripened: Line[] = [];
    for (let next = this.#happenings.peek(); next && next.at === at; next = this.#happenings.peek()) {
      this.#happenings.remove(next);
      if (next.room) this.#giveBack(next.index, next.room);
      if (next.index !== -1) touched.add(next.index);
      if (next.ripe) ripened.push(this.#join(next.ripe));
    }
    // Most workers are as full as they were, so only who has just come is offered to all of them.
    for (const line of ripened) this.#offer(line, at);
    for (const index of [...touched].sort((a, b) => a - b)) this.#fill(index, at);
    return true;
  }

  /** Gives the worker what fits, the first in line first. */
  #fill(index: number, at: number): void {
    for (let place = 0; place < this.#standing.length; ) {
      const line = this.#standing[place] as Line;
      this.#looks += 1;
      if (this.#mayTake(line, index, at)) this.#start(line, place, index, at);
      else {
        this.#keep(line, index, at);
        place += 1;
      }
    }
  }

  #offer(line: Line, at: number): void {
    for (let index = 0; index < this.#open.length && line.head < line.tasks.length; index += 1) {
      this.#looks += 1;
      while (line.head < line.tasks.length && this.#mayTake(line, index, at)) {
        this.#start(line, this.#standing.indexOf(line), index, at);
      }
    }
  }

  #mayTake(line: Line, index: number, at: number): boolean {
    if (!fits(line.need, this.#free[index] as Resources) || !this.#isAllowed(line, index)) return false;
    const kept = this.#keptFor.get(index);
    if (!kept || kept.line === line) return true;
    if (at - kept.since < RESERVE_FOR_MS) return false;
    kept.line.reservesFrom = at + RESERVE_FOR_MS;
    this.#letGo(kept.line);
    return true;
  }

  /** Keeps a worker for a head that has waited too long, the one with the least in the way, as reservations.ts does. */
  #keep(line: Line, from: number, at: number): void {
    const head = line.tasks[line.head] as Waiting;
    if (at - Math.max(head.queuedAt, head.notBefore) < DEFAULT_RULES.reserveAfterMs || at < line.reservesFrom)
      return;
    if (line.keeps !== -1 || this.#keptFor.size >= this.#mostKept) return;
    let [best, least] = [-1, Number.POSITIVE_INFINITY];
    const { length } = this.#open;
    for (let step = 0; step < Math.min(length, KEEP_LOOKS); step += 1) {
      const index = from + step < length ? from + step : from + step - length;
      const { capacity } = this.#open[index] as WorkerView;
      if (this.#keptFor.has(index) || !this.#isAllowed(line, index) || !fits(line.need, capacity)) continue;
      const far = distanceTo(line.need, this.#free[index] as Resources);
      if (far < least) [best, least] = [index, far];
    }
    this.#looks += Math.min(length, KEEP_LOOKS);
    if (best !== -1) this.#setKept(line, best, at);
  }

  #setKept(line: Line, index: number, since: number): void {
    this.#keptFor.set(index, { line, since });
    line.keeps = index;
    // Whoever was kept out has another look then.
    this.#happen(since + RESERVE_FOR_MS, index, null, null);
  }

  #letGo(line: Line): void {
    this.#keptFor.delete(line.keeps);
    line.keeps = -1;
  }

  #isAllowed({ worker }: Line, index: number): boolean {
    return worker === null || worker === this.#open[index]?.id;
  }

  #start(line: Line, place: number, index: number, at: number): void {
    const task = line.tasks[line.head] as Waiting;
    this.#starts.set(task.id, Math.round(at));
    this.#free[index] = subtractResources(this.#free[index] as Resources, line.need);
    this.#happen(at + Math.max(1, this.#play.spanOf(task.run)), index, line.need, null);
    this.#letGo(line);
    line.head += 1;
    this.#standing.splice(place, 1);
    if (line.head < line.tasks.length) this.#stand(line);
  }

  /** Never more than there is: a worker may have come back smaller than what it was given. */
  #giveBack(index: number, room: Resources): void {
    const { capacity } = this.#open[index] as WorkerView;
    const free = addResources(this.#free[index] as Resources, room);
    this.#free[index] = {
      cpuMillis: Math.min(free.cpuMillis, capacity.cpuMillis),
      memoryMb: Math.min(free.memoryMb, capacity.memoryMb),
      gpus: Math.min(free.gpus, capacity.gpus),
      storageMb: Math.min(free.storageMb, capacity.storageMb),
    };
  }

  /** Its back-off is over. */
  #join(task: Waiting): Line {
    const line = this.#lineOf(task);
    const place = this.#standing.indexOf(line);
    if (place !== -1) this.#standing.splice(place, 1);
    let at = line.tasks.length;
    while (at > line.head && (line.tasks[at - 1] as Waiting).id > task.id) at -= 1;
    line.tasks.splice(at, 0, task);
    this.#stand(line);
    return line;
  }

  #stand(line: Line): void {
    let [low, high] = [0, this.#standing.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (byHead(this.#standing[middle] as Line, line) < 0) low = middle + 1;
      else high = middle;
    }
    this.#standing.splice(low, 0, line);
  }

  #lineOf(task: Waiting): Line {
    const key = groupKey(task);
    const known = this.#lines.get(key);
    if (known) return known;
    const { resources: need, worker, priority } = task;
    const line: Line = { key, need, worker, priority, tasks: [], head: 0, keeps: -1, reservesFrom: 0 };
    this.#lines.set(key, line);
    return line;
  }

  #happen(at: number, index: number, room: Resources | null, ripe: Waiting | null): void {
    this.#happenings.push({ at, position: -1, index, room, ripe });
  }
}

function byHead(a: Line, b: Line): number {
  if (a.priority !== b.priority) return b.priority - a.priority;
  return (a.tasks[a.head] as Waiting).id < (b.tasks[b.head] as Waiting).id ? -1 : 1;
}
