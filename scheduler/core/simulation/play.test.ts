import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { meetsTerms, NO_DEMAND } from '../../../shared/model/labels.ts';
import { addResources, fits, NO_RESOURCES } from '../../../shared/model/resources.ts';
import { DEFAULT_RULES, POLICIES } from '../../../shared/model/scheduling.ts';
import { plan } from '../plan.ts';
import type { Plan, Snapshot } from '../snapshot.ts';
import { Dice } from './dice.ts';
import { feasibility } from './feasible.ts';
import { GENERATE_DEFAULTS, generate } from './generate.ts';
import { Play, type PlayInput } from './play.ts';
import type { TraceTask, TraceWorker } from './trace.ts';

const need = (cores: number, memoryMb = 100, gpus = 0) => ({
  cpuMillis: cores * 1_000,
  memoryMb,
  gpus,
  storageMb: 0,
});
const task = (over: Partial<TraceTask> = {}): TraceTask => ({
  atMs: 0,
  user: 'alice',
  need: need(1),
  runMs: 60_000,
  kValue: 3,
  priority: 5,
  image: 'a:1',
  tag: '',
  labels: NO_DEMAND,
  worker: null,
  ...over,
});
const worker = (id: string, cores: number, over: Partial<TraceWorker> = {}): TraceWorker => ({
  id,
  capacity: need(cores, 10_000),
  labels: {},
  ...over,
});
const COSTS = { startMs: 0, pullMs: 0, stopMs: 1_000 };

function start(input: Partial<PlayInput> & Pick<PlayInput, 'tasks' | 'workers'>): Play {
  return new Play({
    rules: DEFAULT_RULES,
    seed: 1,
    costs: COSTS,
    passEveryMs: 0,
    defaultRunMs: 300_000,
    ...input,
  });
}

function played(input: Parameters<typeof start>[0]) {
  const play = start(input);
  while (play.step());
  return play.report();
}

describe('a play', () => {
  it('runs one task after the other where there is room for one', () => {
    const report = played({ workers: [worker('w1', 1)], tasks: [task(), task(), task({ atMs: 30_000 })] });
    expect(report.tasks).toEqual({ ended: 3, infeasible: 0, left: 0 });
    expect(report.makespanMs).toBe(180_000);
    // 0, 60 and 90 seconds.
    expect(report.waits).toEqual({
      count: 3,
      mean: 50_000,
      p50: 60_000,
      p90: 90_000,
      p99: 90_000,
      max: 90_000,
    });
    expect(report.used.cpuMillis).toBeCloseTo(1);
    expect(report.used.memoryMb).toBeCloseTo(0.01);
    expect(report.used.gpus).toBeNull();
    expect(report.mostWaiting).toBe(2);
    expect(report.placements).toBe(3);
  });

  it('leaves idle time out of what is used, and counts what is free while a task waits', () => {
    const report = played({
      workers: [worker('w1', 4)],
      tasks: [task({ need: need(3) }), task({ need: need(3) }), task({ need: need(4), atMs: 600_000 })],
    });
    expect(report.busyMs).toBe(180_000);
    expect(report.used.cpuMillis).toBeCloseTo((0.75 * 120_000 + 60_000) / 180_000);
    expect(report.usedWhileArriving.cpuMillis).toBeCloseTo((0.75 * 120_000) / 600_000);
    expect(report.idleWhileWaiting?.cpuMillis).toBeCloseTo(0.25);
  });

  it('gathers what comes between two passes', () => {
    const tasks = Array.from({ length: 50 }, (_, at) => task({ atMs: at * 20 }));
    const [each, gathered] = [0, 1_000].map((passEveryMs) =>
      played({ workers: [worker('w1', 64)], tasks, passEveryMs }),
    );
    expect(each?.passes).toBe(50);
    expect(each?.waits?.max).toBe(0);
    expect(gathered?.passes).toBe(2);
    expect(gathered?.waits?.max).toBe(980);
  });

  it('lets a start and a pull take their time, once for all who wait for the same image', () => {
    const costs = { ...COSTS, startMs: 2_000, pullMs: 30_000 };
    const tasks = [
      task(),
      task({ atMs: 10_000 }),
      task({ atMs: 40_000 }),
      task({ atMs: 40_000, image: 'b:1' }),
    ];
    const report = played({ workers: [worker('w1', 64)], tasks, costs });
    expect(report.waitCurve.map(([ms]) => ms)).toEqual([2_000, 20_000, 30_000]);
    expect(report.makespanMs).toBe(40_000 + 30_000 + 60_000);
  });

  it('leaves out what could never run, and says how many', () => {
    const tasks = [
      task({ need: need(5) }),
      task({ worker: 'w9' }),
      task({ labels: { constraints: { disk: ['ssd'] }, prefer: {} } }),
      task(),
    ];
    expect(played({ workers: [worker('w1', 4)], tasks }).tasks).toEqual({ ended: 1, infeasible: 3, left: 0 });
  });

  it('promises by what has ended before: a kind that runs for long gets its time', () => {
    // Of nothing known 300 s are expected: 3 × 300 s are too little for 1,000 s, and 3 × 1,000 s are enough.
    const long = (atMs: number) => task({ atMs, runMs: 1_000_000, tag: 'long' });
    const report = played({
      workers: [worker('w1', 8)],
      tasks: [long(0), long(0), long(0), long(2_000_000), long(2_000_000)],
    });
    expect(report.sla).toEqual({ met: 2, missed: 3 });
  });

  it('knows who is treated worse', () => {
    const quick = (user: string, atMs: number) => task({ user, atMs, runMs: 10_000 });
    const even = played({ workers: [worker('w1', 2)], tasks: [quick('a', 0), quick('b', 0)] });
    expect(even.fairness).toMatchObject({ users: 2, ofSlowdown: 1, worstSlowdown: 1 });
    const uneven = played({
      workers: [worker('w1', 1)],
      tasks: [quick('a', 0), quick('a', 10_000), quick('b', 0), quick('b', 10_000)],
    });
    expect(uneven.fairness.ofSlowdown).toBeLessThan(1);
    expect(uneven.fairness.worstSlowdown).toBeGreaterThan(1);
  });

  it('reserves a worker by time alone', () => {
    const small = (atMs: number) => task({ atMs, runMs: 100_000 });
    const tasks = [
      task({ need: need(2), atMs: 1_000, user: 'large' }),
      ...Array.from({ length: 40 }, (_, at) => small(at * 50_000)),
    ].sort((a, b) => a.atMs - b.atMs);
    const report = played({ workers: [worker('w1', 2)], tasks });
    expect(report.reservations).toBeGreaterThan(0);
    expect(report.tasks.ended).toBe(41);
  });

  it('starts anew what had to leave, and pays for what was lost', () => {
    const tasks = [task({ priority: 1, runMs: 600_000 }), task({ atMs: 60_000, priority: 9, runMs: 10_000 })];
    // A plan that evicts whatever runs for a task of priority 9, as the real one may when it is allowed to.
    const evicting = (snapshot: Snapshot, now: number, seed: number): Plan => {
      const groups = [...snapshot.groups];
      const made = plan({ ...snapshot, groups }, now, seed);
      const wants = groups
        .find(({ priority }) => priority === 9)
        ?.inOrder()
        .next().value;
      const held = snapshot.holdingsOf('w1').find(({ priority, isLeaving }) => priority === 1 && !isLeaving);
      if (!wants || !held || made.placements.length > 0) return made;
      const { taskId, attempt, workerId } = held;
      return { ...made, preemptions: [{ taskId, attempt, workerId, forTask: wants.id }] };
    };
    const report = played({ workers: [worker('w1', 1)], tasks, plan: evicting });
    expect(report.preemptions).toBe(1);
    expect(report.placements).toBe(3);
    expect(report.tasks.ended).toBe(2);
    // The one of priority 9 waits while the other stops, which starts anew 11 s after it was told to leave.
    expect(report.waitsByPriority.map(({ priority, waits }) => [priority, waits.max])).toEqual([
      [9, 1_000],
      [1, 71_000],
    ]);
  });

  it('ends when what waits will wait for ever', () => {
    const refusing = (snapshot: Snapshot, now: number, seed: number): Plan => ({
      ...plan(snapshot, now, seed),
      placements: [],
      more: false,
    });
    const report = played({ workers: [worker('w1', 1)], tasks: [task()], plan: refusing });
    expect(report.tasks).toEqual({ ended: 0, infeasible: 0, left: 1 });
    expect(report.sla).toEqual({ met: 0, missed: 1 });
    expect(report.waits).toBeNull();
  });
});

describe('a play of any tasks', () => {
  const LABELS = ['a', 'b'];
  const anyTask = fc.record({
    atMs: fc.integer({ min: 0, max: 400_000 }),
    user: fc.constantFrom('alice', 'bob', 'carol'),
    need: fc
      .tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 900 }), fc.constantFrom(0, 0, 1, 2))
      .map(([cores, memory, gpus]) => need(cores, memory, gpus)),
    runMs: fc.integer({ min: 1, max: 300_000 }),
    priority: fc.integer({ min: 0, max: 9 }),
    image: fc.constantFrom('a:1', 'b:1'),
    labels: fc.constantFrom(
      NO_DEMAND,
      ...LABELS.map((value) => ({ constraints: { zone: [value] }, prefer: {} })),
      { constraints: {}, prefer: { zone: ['a'] } },
    ),
    worker: fc.constantFrom(null, null, null, 'w1'),
  });
  const anyWorkers = fc.array(
    fc.record({
      cores: fc.integer({ min: 1, max: 8 }),
      gpus: fc.constantFrom(0, 0, 2),
      zone: fc.constantFrom(...LABELS),
    }),
    { minLength: 1, maxLength: 5 },
  );

  it('over-commits nothing, shares no GPU, keeps every constraint, and brings to an end what can end', () => {
    fc.assert(
      fc.property(
        fc.array(anyTask, { maxLength: 60 }),
        anyWorkers,
        fc.constantFrom(...POLICIES),
        fc.boolean(),
        fc.constantFrom(0, 1_000),
        (some, machines, policy, preemption, passEveryMs) => {
          const tasks = some.map((one) => task(one)).sort((a, b) => a.atMs - b.atMs);
          const workers = machines.map(({ cores, gpus, zone }, at) => ({
            id: `w${at + 1}`,
            capacity: need(cores, 1_000, gpus),
            labels: { zone },
          }));
          const byId = new Map(workers.map((one) => [one.id, one]));
          const input = { tasks, workers, passEveryMs, rules: { ...DEFAULT_RULES, policy, preemption } };
          const checked = (snapshot: Snapshot, now: number, seed: number): Plan => {
            for (const { id, capacity } of workers) {
              const holdings = snapshot.holdingsOf(id);
              const held = holdings.reduce(
                (sum, { resources }) => addResources(sum, resources),
                NO_RESOURCES,
              );
              expect(fits(held, capacity)).toBe(true);
              const gpus = holdings.flatMap(({ gpuIds }) => gpuIds);
              expect(new Set(gpus).size).toBe(gpus.length);
            }
            const made = plan(snapshot, now, seed);
            for (const { taskId, workerId } of made.placements) {
              const placed = tasks[Number(taskId.slice('task-'.length))] as TraceTask;
              const where = byId.get(workerId) as TraceWorker;
              expect(meetsTerms(placed.labels.constraints, where.labels)).toBe(true);
              expect(placed.worker === null || placed.worker === workerId).toBe(true);
              expect(now).toBeGreaterThanOrEqual(placed.atMs);
            }
            return made;
          };
          const report = played({ ...input, plan: checked });
          const feasible = tasks.filter(feasibility(workers)).length;
          expect(report.tasks).toEqual({ ended: feasible, infeasible: tasks.length - feasible, left: 0 });
          expect(report.placements - report.preemptions).toBeLessThanOrEqual(feasible);
          for (const part of Object.values(report.used)) expect(part ?? 0).toBeLessThanOrEqual(1 + 1e-9);
          // The same again.
          expect(played(input)).toEqual(report);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('a made-up trace', () => {
  const workers = Array.from({ length: 10 }, (_, at) => ({
    id: `w${at}`,
    capacity: { cpuMillis: 16_000, memoryMb: 65_536, gpus: at < 2 ? 4 : 0, storageMb: 100_000 },
    labels: {},
  }));
  const options = { ...GENERATE_DEFAULTS, tasks: 3_000, load: 0.7, gpu: 0.2 };
  const make = (seed: number) => generate(options, workers, new Dice(seed));

  it('is the same for the same seed, and another for another', () => {
    expect(make(7)).toEqual(make(7));
    expect(make(7)).not.toEqual(make(8));
  });

  it('is what was asked for: so many tasks that fit, users, load, GPUs, in order and in time', () => {
    const { tasks, load } = make(7);
    expect(tasks).toHaveLength(3_000);
    expect(load).toBeCloseTo(0.7, 2);
    expect(tasks.every(feasibility(workers))).toBe(true);
    expect(new Set(tasks.map(({ user }) => user)).size).toBe(20);
    const times = tasks.map(({ atMs }) => atMs);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(times.at(-1)).toBeLessThan(24 * 3_600_000);
    const onGpus = tasks.filter((one) => one.need.gpus > 0);
    expect(onGpus.length / 3_000).toBeGreaterThan(0.1);
    expect(onGpus.length / 3_000).toBeLessThan(0.35);
    const held = (some: readonly TraceTask[], of: 'cpuMillis' | 'gpus') =>
      some.reduce((sum, one) => sum + one.need[of] * one.runMs, 0) / (24 * 3_600_000);
    expect(held(onGpus, 'gpus') / 8).toBeCloseTo(0.7, 2);
    expect(held(tasks, 'cpuMillis') / 160_000).toBeLessThan(0.71);
  });

  it('has a heavy tail: few tasks hold most of the resources', () => {
    const held = make(7)
      .tasks.map((one) => one.need.cpuMillis * one.runMs)
      .sort((a, b) => b - a);
    const sum = (some: readonly number[]) => some.reduce((all, one) => all + one, 0);
    expect(sum(held.slice(0, 300)) / sum(held)).toBeGreaterThan(0.5);
  });

  it('says when so few tasks cannot make the load', () => {
    expect(generate({ ...options, tasks: 5 }, workers, new Dice(1)).load).toBeLessThan(0.7);
  });
});
