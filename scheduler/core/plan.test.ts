import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fits, type Resources, subtractResources } from '../../shared/model/resources.ts';
import { DEFAULT_RULES } from '../../shared/model/scheduling.ts';
import { amounts, cluster, ids } from '../../test/support/generated-clusters.ts';
import { BARE, PLAIN_WAITING, PLAIN_WORKER } from '../../test/support/waiting.ts';
import { Backlog, groupKey } from './backlog.ts';
import { plan } from './plan.ts';
import { RESERVE_FOR_MS } from './reservations.ts';
import { NO_MEMORY, type Plan, type PlanMemory, type WaitingTask, type WorkerView } from './snapshot.ts';

const RESERVE_AFTER_MS = DEFAULT_RULES.reserveAfterMs;
const NOW = 1_000_000_000;
const need = (over: Partial<Resources> = {}): Resources => ({
  cpuMillis: 1000,
  memoryMb: 0,
  gpus: 0,
  storageMb: 0,
  ...over,
});
const view = (id: string, free: Partial<Resources> = {}, over: Partial<WorkerView> = {}): WorkerView => ({
  id,
  ...PLAIN_WORKER,
  state: 'ready',
  capacity: need({ cpuMillis: 4000, ...free }),
  free: need({ cpuMillis: 4000, ...free }),
  ...over,
});
let serial = 0;
const waits = (over: Partial<WaitingTask> = {}): WaitingTask => {
  serial += 1;
  const id = `t${String(serial).padStart(6, '0')}`;
  return { ...PLAIN_WAITING, id, resources: need(), queuedAt: NOW, ...over };
};
const run = (
  tasks: readonly WaitingTask[],
  workers: readonly WorkerView[],
  { memory = NO_MEMORY, now = NOW, limit = 1_000_000, seed = 0 } = {},
): Plan => {
  const backlog = new Backlog();
  for (const task of tasks) backlog.put(task, Number.POSITIVE_INFINITY);
  return plan({ workers, groups: backlog.groups(), ...BARE, memory, limit }, now, seed);
};
const pairs = ({ placements }: Plan) => placements.map(({ taskId, workerId }) => [taskId, workerId]);

/** Workers after the placements of a plan. */
function roomAfter(workers: readonly WorkerView[], tasks: readonly WaitingTask[], made: Plan): WorkerView[] {
  const needs = new Map(tasks.map((task) => [task.id, task.resources]));
  return workers.map((worker) => ({
    ...worker,
    free: made.placements
      .filter(({ workerId }) => workerId === worker.id)
      .reduce((free, { taskId }) => subtractResources(free, needs.get(taskId)!), worker.free),
  }));
}

const backlog: fc.Arbitrary<WaitingTask[]> = fc
  .array(
    fc.record({
      priority: fc.integer({ min: 0, max: 2 }),
      resources: amounts,
      worker: fc.option(fc.constantFrom(...ids, 'nowhere'), { freq: 4 }),
      notBefore: fc.constantFrom(0, 0, 0, NOW, NOW + 1),
      queuedAt: fc.constantFrom(NOW, NOW - RESERVE_AFTER_MS, NOW - 10 * RESERVE_AFTER_MS),
    }),
    { maxLength: 40 },
  )
  .map((all) =>
    all.map((one, n) => ({ ...PLAIN_WAITING, ...one, id: `t${String(n).padStart(4, '0')}` }) as WaitingTask),
  );
const seeds = fc.nat(1000);

describe('every plan', () => {
  it('leaves nothing behind that fits a worker which is kept for nobody', () => {
    fc.assert(
      fc.property(cluster, backlog, seeds, (workers, tasks, seed) => {
        let [now, memory, room, left] = [NOW, NO_MEMORY as PlanMemory, workers, tasks];
        for (let more = true, passes = 0; more; passes += 1) {
          expect(passes).toBeLessThan(100);
          const made = run(left, room, { memory, now, seed, limit: 5 });
          room = roomAfter(room, left, made);
          const placed = new Set(made.placements.map(({ taskId }) => taskId));
          left = left.filter(({ id }) => !placed.has(id));
          ({ memory, more } = made);
        }
        const kept = new Set(memory.reservations.map(({ workerId }) => workerId));
        expect(kept.size).toBeLessThanOrEqual(Math.max(1, workers.length / 4));
        for (const task of left.filter(({ notBefore }) => notBefore <= now)) {
          const home = room.find(
            ({ id, state, free }) =>
              state === 'ready' && !kept.has(id) && (task.worker ?? id) === id && fits(task.resources, free),
          );
          expect(home).toBeUndefined();
        }
      }),
      { numRuns: 500 },
    );
  });

  it('gives a reason for each group that waits, and the right one', () => {
    fc.assert(
      fc.property(cluster, backlog, seeds, (workers, tasks, seed) => {
        const made = run(tasks, workers, { seed });
        const placed = new Set(made.placements.map(({ taskId }) => taskId));
        for (const task of tasks.filter(({ id }) => !placed.has(id))) {
          const reason = made.waiting.get(groupKey(task));
          const allowed = workers.filter(({ id }) => (task.worker ?? id) === id);
          const ready = allowed.filter(({ state }) => state === 'ready');
          const large = ready.filter(({ capacity }) => fits(task.resources, capacity));
          if (reason === 'not_yet') expect(task.notBefore).toBeGreaterThan(NOW);
          else if (allowed.length === 0 && task.worker) expect(reason).toBe('worker_unknown');
          else if (ready.length === 0)
            expect(reason).toBe(task.worker ? `worker_${allowed[0]!.state}` : 'no_ready_worker');
          else if (large.length === 0) expect(reason).toBe('too_large');
          else expect(['no_room', 'reserved']).toContain(reason);
        }
      }),
    );
  });
});

describe('order', () => {
  it('goes round the workers, over passes too', () => {
    const workers = [view('w1'), view('w2'), view('w3')];
    const tasks = [waits(), waits(), waits(), waits()];
    const made = run(tasks, workers);
    expect(made.placements.map(({ workerId }) => workerId)).toEqual(['w1', 'w2', 'w3', 'w1']);
    expect(run([waits()], workers, { memory: made.memory }).placements[0]?.workerId).toBe('w2');
    expect(run([waits()], workers, { seed: 2 }).placements[0]?.workerId).toBe('w3');
  });

  it('goes round many workers, past those that are full', () => {
    const workers = Array.from({ length: 200 }, (_, n) =>
      view(`w${String(n).padStart(3, '0')}`, {}, n % 50 === 7 ? {} : { free: need({ cpuMillis: 0 }) }),
    );
    const tasks = Array.from({ length: 20 }, () => waits());
    const made = run(tasks, workers);
    expect(made.placements.map(({ workerId }) => workerId)).toEqual(
      Array.from({ length: 4 }, () => ['w007', 'w057', 'w107', 'w157']).flat(),
    );
    expect(made.placements.map(({ taskId }) => taskId)).toEqual(tasks.slice(0, 16).map(({ id }) => id));
  });

  it('is by priority, then by age, across shapes', () => {
    const low = waits({ priority: 1 });
    const first = waits({ resources: need({ cpuMillis: 500 }) });
    const second = waits();
    const urgent = waits({ priority: 9, resources: need({ cpuMillis: 2000 }) });
    expect(pairs(run([low, second, first, urgent], [view('w1')]))).toEqual([
      [urgent.id, 'w1'],
      [first.id, 'w1'],
      [second.id, 'w1'],
    ]);
  });

  it('skips a head that does not fit, not the queue behind it', () => {
    const huge = waits({ priority: 9, resources: need({ cpuMillis: 8000 }) });
    const small = waits();
    const made = run([huge, small], [view('w1')]);
    expect(pairs(made)).toEqual([[small.id, 'w1']]);
    expect([...made.waiting.values()]).toEqual(['too_large']);
  });

  it('stops at the limit and says that there is more', () => {
    const tasks = Array.from({ length: 4 }, () => waits());
    expect(run(tasks, [view('w1')], { limit: 3 })).toMatchObject({ more: true, placements: { length: 3 } });
    expect(run(tasks, [view('w1')], { limit: 4 })).toMatchObject({ more: false, placements: { length: 4 } });
  });
});

describe('a large task among small ones that keep coming', () => {
  /** One small task ends with each tick and another has come; the large one needs a whole worker. */
  const simulate = (workerCount: number, ticks: number, tickMs: number) => {
    const large = waits({ resources: need({ cpuMillis: 4000 }) });
    let room = Array.from({ length: workerCount }, (_, n) =>
      view(`w${n}`, {}, { free: need({ cpuMillis: 0 }) }),
    );
    const holders = room.flatMap(({ id }) => [id, id, id, id]);
    let memory: PlanMemory = NO_MEMORY;
    const kept = new Set<string>();
    let left: WaitingTask[] = [large];
    for (let tick = 1; tick <= ticks; tick += 1) {
      const now = NOW + tick * tickMs;
      const ended = holders.shift()!;
      room = room.map((worker) =>
        worker.id === ended ? { ...worker, free: need({ cpuMillis: worker.free.cpuMillis + 1000 }) } : worker,
      );
      left = [...left, waits({ queuedAt: now })];
      const made = run(left, room, { memory, now });
      ({ memory } = made);
      for (const { workerId } of memory.reservations) kept.add(workerId);
      room = roomAfter(room, left, made);
      const placed = new Set(made.placements.map(({ taskId }) => taskId));
      left = left.filter(({ id }) => !placed.has(id));
      if (placed.has(large.id)) return { placedAfterMs: now - NOW, kept };
      for (const { workerId } of made.placements) holders.push(workerId);
      if (holders.length === 0) break;
    }
    return { placedAfterMs: null, kept };
  };

  it.each([1, 3, 12])('is placed in the end on %i workers, and one worker is kept for it', (count) => {
    const { placedAfterMs, kept } = simulate(count, 2_000, 5_000);
    expect(placedAfterMs).toBeGreaterThanOrEqual(RESERVE_AFTER_MS);
    expect(placedAfterMs).toBeLessThan(RESERVE_FOR_MS);
    expect(kept.size).toBe(1);
  });

  it('does not hold a worker for ever that never becomes empty', () => {
    const busy = [view('w1', {}, { free: need({ cpuMillis: 1000 }) })];
    const large = waits({ resources: need({ cpuMillis: 4000 }) });
    const start = NOW + RESERVE_AFTER_MS;
    const first = run([large], busy, { now: start });
    expect([...first.waiting.values()]).toEqual(['reserved']);
    const small = waits();
    const held = run([large, small], busy, { now: start + RESERVE_FOR_MS - 1, memory: first.memory });
    expect(pairs(held)).toEqual([]);
    const paused = run([large, small], busy, { now: start + RESERVE_FOR_MS, memory: held.memory });
    expect(pairs(paused)).toEqual([[small.id, 'w1']]);
    expect(paused.memory.reservations).toHaveLength(1);
    const again = run([large, small], busy, { now: start + 2 * RESERVE_FOR_MS, memory: paused.memory });
    expect(again.memory.reservations).toMatchObject([
      { since: start + 2 * RESERVE_FOR_MS, until: start + 4 * RESERVE_FOR_MS },
    ]);
    expect(pairs(again)).toEqual([]);
  });

  it('leaves what it does not need to those who were turned away before it', () => {
    const wide = [view('w1', { cpuMillis: 6000 })];
    const large = waits({ resources: need({ cpuMillis: 4000 }) });
    const urgent = waits({ priority: 9 });
    const now = NOW + RESERVE_AFTER_MS;
    const { memory } = run([large], [{ ...wide[0]!, free: need({ cpuMillis: 1000 }) }], { now });
    const made = run([large, urgent], wide, { now, memory });
    expect(pairs(made)).toEqual([[large.id, 'w1']]);
    expect(made).toMatchObject({ more: true, memory: { reservations: [] } });
    const room = roomAfter(wide, [large], made);
    expect(pairs(run([urgent], room, { now, memory: made.memory }))).toEqual([[urgent.id, 'w1']]);
  });

  it('gives its worker back when it is gone, or the worker is', () => {
    const full = [
      view('w1', {}, { free: need({ cpuMillis: 1000 }) }),
      view('w2', {}, { free: need({ cpuMillis: 0 }) }),
    ];
    const large = waits({ resources: need({ cpuMillis: 4000 }) });
    const now = NOW + RESERVE_AFTER_MS;
    const { memory } = run([large], full, { now });
    expect(memory.reservations).toMatchObject([{ workerId: 'w1', taskId: large.id, since: now }]);
    const small = waits();
    expect(pairs(run([small], full, { now: now + 1, memory }))).toEqual([[small.id, 'w1']]);
    const closed = [{ ...full[0]!, state: 'cordoned' as const }, full[1]!];
    const moved = run([large], closed, { now: now + 1, memory });
    expect(moved.memory.reservations).toMatchObject([{ workerId: 'w2', since: now + 1 }]);
  });

  it('keeps no worker idle for a line that the quota of its owner holds back', () => {
    const workers = [view('w1', {}, { free: need({ cpuMillis: 1000 }) })];
    const large = waits({ ownerId: 'ann', resources: need({ cpuMillis: 4000 }) });
    const small = waits({ ownerId: 'bob' });
    const pass = (quota: number, now: number, memory = NO_MEMORY): Plan => {
      const backlog = new Backlog();
      for (const task of [large, small]) backlog.put(task, now);
      const limits = { cpuMillis: quota, memoryMb: null, gpus: null };
      const owners = new Map([['ann', { held: need({ cpuMillis: 2000 }), quota: limits }]]);
      return plan({ workers, groups: backlog.groups(), ...BARE, owners, memory, limit: 10 }, now, 0);
    };
    const now = NOW + RESERVE_AFTER_MS;
    const first = pass(6000, now);
    expect(first.memory.reservations).toMatchObject([{ workerId: 'w1', taskId: large.id }]);
    expect(pairs(pass(6000, now + 1, first.memory))).toEqual([]);
    const lowered = pass(5000, now + 1, first.memory);
    expect(pairs(lowered)).toEqual([[small.id, 'w1']]);
    expect(lowered.memory.reservations).toEqual([]);
    expect([...lowered.waiting.values()]).toEqual(['quota_used']);
  });
});
