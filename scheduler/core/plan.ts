// Which waiting task goes to which worker. Pure: the same snapshot, time and seed give the same plan.
//
// Groups are visited in order of their heads (priority, then oldest). A head goes to the next worker in rotation
// where it fits in every dimension. Where it fits nowhere, its group is out for the rest of the pass and the
// others go on: nothing that fits waits behind something that does not. Free room only shrinks during a pass, so
// a worker that was too full for a group is not looked at again for it. Cost: groups × workers + placements.

import { fits, type Resources, subtractResources } from '../../shared/model/resources.ts';
import { Heap } from './heap.ts';
import { Reservations } from './reservations.ts';
import type { Group, GroupEntry, Placement, Plan, Snapshot, WaitReason, WorkerView } from './snapshot.ts';

interface Cursor {
  readonly group: Group;
  readonly entries: Iterator<GroupEntry>;
  head: GroupEntry;
  position: number;
  /** Index → next index that may still have room for this group; made when a plain scan took long. */
  skip: Int32Array | null;
}

/** Most placements of one pass of the scheduler; then events, heartbeats and repairs have their turn. */
export const PASS_LIMIT = 2_000;
/** Steps of a scan after which it pays to remember which workers are full. */
const LONG_SCAN = 32;

/** @param seed a non-negative integer: where the rotation begins when there was no pass before */
export function plan(snapshot: Snapshot, now: number, seed: number): Plan {
  const { workers, memory, limit } = snapshot;
  const open = workers.filter(({ state }) => state === 'ready');
  const free: Resources[] = open.map((worker) => worker.free);
  const indexOf = indexer(open);
  const reservations = new Reservations({ open, free, indexOf }, memory.reservations, now);
  const most = greatest(free);
  const reasonOf = makeReasons(workers, open);
  const waiting = new Map<string, WaitReason>();
  const placements: Placement[] = [];
  let lastWorker = memory.recent.at(-1) ?? null;
  let next = firstInRotation(open, lastWorker, seed);
  let more = false;

  const cursors = new Heap<Cursor>((a, b) =>
    a.group.priority === b.group.priority ? a.head.id < b.head.id : a.group.priority > b.group.priority,
  );
  for (const group of snapshot.groups) {
    const entries = group.inOrder();
    const head = nextDue(entries, now);
    if (!head) {
      waiting.set(group.key, 'not_yet');
      continue;
    }
    reservations.resume(group, head);
    // In a full cluster most groups end here, without a scan.
    if (!fits(group.need, most) && !reservations.isStarving(head)) {
      waiting.set(group.key, reasonOf(group));
      continue;
    }
    cursors.push({ group, entries, head, position: -1, skip: null });
  }

  const mayTake = (group: Group, index: number) =>
    fits(group.need, free[index] as Resources) && !reservations.bars(index, group);

  const find = (cursor: Cursor): number => {
    const { group } = cursor;
    if (group.worker !== null) {
      const index = indexOf(group.worker);
      return index !== undefined && mayTake(group, index) ? index : -1;
    }
    if (!fits(group.need, most)) return -1;
    return cursor.skip ? findBySkips(cursor, cursor.skip) : findByScan(cursor);
  };

  const findByScan = (cursor: Cursor): number => {
    const { length } = open;
    for (let step = 0; step < length; step += 1) {
      const index = next + step < length ? next + step : next + step - length;
      if (!mayTake(cursor.group, index)) continue;
      if (step > LONG_SCAN) cursor.skip = Int32Array.from({ length: length + 1 }, (_, at) => at);
      return index;
    }
    return -1;
  };

  const findBySkips = (cursor: Cursor, skip: Int32Array): number => {
    const { length } = open;
    for (const [from, to] of [
      [next, length],
      [0, next],
    ] as const) {
      for (let index = followSkips(skip, from); index < to; index = followSkips(skip, index)) {
        if (mayTake(cursor.group, index)) return index;
        skip[index] = index + 1;
      }
    }
    return -1;
  };

  for (let cursor = cursors.pop(); cursor; cursor = cursors.pop()) {
    const { group, head } = cursor;
    if (placements.length >= limit) {
      more = true;
      break;
    }
    const index = find(cursor);
    const worker = open[index];
    if (!worker) {
      const reason = reasonOf(group);
      waiting.set(group.key, reason === 'no_room' && reservations.reserve(group, head) ? 'reserved' : reason);
      continue;
    }
    placements.push({ taskId: head.id, workerId: worker.id, gpuIds: [] });
    free[index] = subtractResources(free[index] as Resources, group.need);
    if (group.worker === null) {
      lastWorker = worker.id;
      next = index + 1 < open.length ? index + 1 : 0;
    }
    // The worker it gave up may have room for others, who were turned away before.
    if (reservations.fulfil(group)) more = true;
    const following = nextDue(cursor.entries, now);
    if (!following) continue;
    cursor.head = following;
    cursors.push(cursor);
  }
  const recent = lastWorker === null ? [] : [lastWorker];
  return {
    placements,
    preemptions: [],
    waiting,
    memory: { recent, reservations: reservations.list() },
    more,
  };
}

/** Says why a group waits that fits nowhere now. */
function makeReasons(workers: readonly WorkerView[], open: readonly WorkerView[]) {
  let byId: Map<string, WorkerView> | null = null;
  let largest: Resources | null = null;
  return ({ need, worker: target }: Group): WaitReason => {
    if (target !== null) {
      byId ??= new Map(workers.map((worker) => [worker.id, worker]));
      const worker = byId.get(target);
      if (!worker) return 'worker_unknown';
      if (worker.state !== 'ready') return `worker_${worker.state}`;
      return fits(need, worker.capacity) ? 'no_room' : 'too_large';
    }
    if (open.length === 0) return 'no_ready_worker';
    largest ??= greatest(open.map(({ capacity }) => capacity));
    if (!fits(need, largest)) return 'too_large';
    return open.some(({ capacity }) => fits(need, capacity)) ? 'no_room' : 'too_large';
  };
}

function nextDue(entries: Iterator<GroupEntry>, now: number): GroupEntry | null {
  for (;;) {
    const { done, value } = entries.next();
    if (done) return null;
    if (value.notBefore <= now) return value;
  }
}

/** Follows the chain from `index` and shortens it on the way (path halving). */
function followSkips(skip: Int32Array, index: number): number {
  let at = index;
  for (let to = skip[at] as number; to !== at; to = skip[at] as number) {
    skip[at] = skip[to] as number;
    at = skip[at] as number;
  }
  return at;
}

function firstInRotation(open: readonly WorkerView[], last: string | null, seed: number): number {
  if (open.length === 0) return 0;
  if (last === null) return seed % open.length;
  return Math.max(
    open.findIndex(({ id }) => id > last),
    0,
  );
}

/** The most of each dimension: what exceeds it fits into none. */
function greatest(all: readonly Resources[]): Resources {
  let [cpuMillis, memoryMb, gpus, storageMb] = [-1, -1, -1, -1];
  for (const one of all) {
    cpuMillis = Math.max(cpuMillis, one.cpuMillis);
    memoryMb = Math.max(memoryMb, one.memoryMb);
    gpus = Math.max(gpus, one.gpus);
    storageMb = Math.max(storageMb, one.storageMb);
  }
  return { cpuMillis, memoryMb, gpus, storageMb };
}

/** Position of a worker in `open` by its id; the map is made on first use. */
function indexer(open: readonly WorkerView[]): (workerId: string) => number | undefined {
  let map: Map<string, number> | null = null;
  return (workerId) => {
    map ??= new Map(open.map(({ id }, index) => [id, index]));
    return map.get(workerId);
  };
}
