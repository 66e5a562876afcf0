import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { meetsTerms } from '../../shared/model/labels.ts';
import { fits, NO_RESOURCES, type Resources } from '../../shared/model/resources.ts';
import { DEFAULT_RULES } from '../../shared/model/scheduling.ts';
import { amounts, cluster, demand, ids, quotas } from '../../test/support/generated-clusters.ts';
import { BARE, PLAIN_HOLDING, PLAIN_WAITING, PLAIN_WORKER } from '../../test/support/waiting.ts';
import { Backlog, groupKey } from './backlog.ts';
import { allows } from './fair-share.ts';
import { PASS_LIMIT, plan } from './plan.ts';
import { type Known, sceneOf } from './scene.ts';
import { NO_MEMORY, type Plan, type WaitingTask, type WorkerView } from './snapshot.ts';
import { countKinds, mostKinds, type Picture, type WhatIf, type Wish, whatIf } from './what-if.ts';

/** All steps of `whatIf` in one go. */
function answerAtOnce(...given: Parameters<typeof whatIf>): WhatIf {
  const steps = whatIf(...given);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

const RESERVE_AFTER_MS = DEFAULT_RULES.reserveAfterMs;
const NOW = 1_000_000_000;
/** Deadlines play no part. */
const FAR_MS = 1e12;
const need = (over: Partial<Resources> = {}): Resources => ({
  cpuMillis: 1000,
  memoryMb: 512,
  gpus: 0,
  storageMb: 0,
  ...over,
});
const view = (id: string, over: Partial<WorkerView> & { free?: Resources } = {}): WorkerView => {
  const capacity = over.capacity ?? need({ cpuMillis: 4000, memoryMb: 8192 });
  return { id, ...PLAIN_WORKER, state: 'ready', free: capacity, ...over, capacity };
};
const wish = (over: Partial<Wish> = {}): Wish => ({
  ownerId: PLAIN_WAITING.ownerId,
  labels: PLAIN_WAITING.labels,
  need: need(),
  worker: null,
  priority: 5,
  image: PLAIN_WAITING.image,
  expectedMs: FAR_MS,
  slaMs: 2 * FAR_MS,
  count: 1,
  ...over,
});
let serial = 0;
const waits = (over: Partial<WaitingTask> = {}): WaitingTask => {
  serial += 1;
  const id = `task-${String(serial).padStart(6, '0')}`;
  return { ...PLAIN_WAITING, id, resources: need(), queuedAt: NOW, ...over };
};
const ask = (
  workers: readonly WorkerView[],
  wishes: readonly Wish[],
  {
    backlog = [] as readonly WaitingTask[],
    memory = NO_MEMORY,
    seed = 0,
    quotas: limits = new Map() as Known['quotas'],
    over = {} as Partial<Picture>,
    reader = PLAIN_WAITING.ownerId,
  } = {},
): WhatIf => {
  const { owners } = sceneOf({ workers: [], holdings: [], quotas: limits, reservations: [] }, NOW);
  const picture = { ...BARE, workers, owners, leaving: new Map(), backlog, memory, ...over };
  return answerAtOnce(picture, wishes, NOW, seed, reader);
};

/** What the scheduler's next pass would do if the wishes were submitted now. */
function planFor(
  workers: readonly WorkerView[],
  wishes: readonly Wish[],
  before: readonly WaitingTask[],
  seed: number,
  limits: Known['quotas'],
): { made: Plan; wishOf: Map<string, number> } {
  const backlog = new Backlog();
  for (const task of before) backlog.put(task, NOW);
  const wishOf = new Map<string, number>();
  const { owners } = sceneOf({ workers: [], holdings: [], quotas: limits, reservations: [] }, NOW);
  wishes.forEach(({ need: resources, worker, priority, labels, count }, index) => {
    for (let copy = 0; copy < count; copy += 1) {
      const id = `task-z${String(index * 1000 + copy).padStart(8, '0')}`;
      wishOf.set(id, index);
      const task = {
        ...PLAIN_WAITING,
        id,
        priority,
        resources,
        labels,
        worker,
        submittedAt: NOW,
        queuedAt: NOW,
        expectedMs: FAR_MS,
        deadline: NOW + 2 * FAR_MS,
      };
      backlog.put(task, NOW);
    }
  });
  const snapshot = {
    workers,
    groups: backlog.groups(),
    ...BARE,
    owners,
    memory: NO_MEMORY,
    limit: PASS_LIMIT,
  };
  return { made: plan(snapshot, NOW, seed), wishOf };
}

const targets = fc.option(fc.constantFrom(...ids, 'nowhere'), { freq: 4 });
const wishLists: fc.Arbitrary<Wish[]> = fc.array(
  fc.record({
    ownerId: fc.constant(PLAIN_WAITING.ownerId),
    labels: demand,
    need: amounts,
    worker: targets,
    priority: fc.integer({ min: 0, max: 2 }),
    image: fc.constant(PLAIN_WAITING.image),
    expectedMs: fc.constant(FAR_MS),
    slaMs: fc.constant(2 * FAR_MS),
    count: fc.integer({ min: 1, max: 6 }),
  }),
  { minLength: 1, maxLength: 8 },
);
const backlogs: fc.Arbitrary<WaitingTask[]> = fc
  .array(
    fc.record({
      priority: fc.integer({ min: 0, max: 2 }),
      resources: amounts,
      worker: targets,
      notBefore: fc.constantFrom(0, 0, 0, NOW, NOW + 1),
      queuedAt: fc.constantFrom(NOW, NOW - RESERVE_AFTER_MS),
    }),
    { maxLength: 20 },
  )
  .map((all) =>
    all.map(
      (one, n) => ({ ...PLAIN_WAITING, ...one, id: `task-${String(n).padStart(4, '0')}` }) as WaitingTask,
    ),
  );
const seeds = fc.nat(1000);

describe('every answer', () => {
  it('over-commits nothing and gives only to workers that may take it', () => {
    fc.assert(
      fc.property(cluster, wishLists, backlogs, seeds, (workers, wishes, backlog, seed) => {
        const told = ask(workers, wishes, { backlog, seed });
        const byId = new Map(workers.map((worker) => [worker.id, worker]));
        for (const { workerId, taken, placed, placedAhead } of told.workers) {
          expect(fits(taken, byId.get(workerId)!.free)).toBe(true);
          expect(byId.get(workerId)?.state).toBe('ready');
          expect(placed + placedAhead).toBeGreaterThan(0);
        }
        told.wishes.forEach((fate, index) => {
          const { count, worker } = wishes[index]!;
          expect(fate.placed).toBeLessThanOrEqual(count);
          expect(fate.workers.reduce((sum, one) => sum + one.count, 0)).toBe(fate.placed);
          expect(fate.placed === count).toBe(fate.verdict === 'now');
          expect(fate.reason === null).toBe(fate.verdict === 'now');
          expect(fate.summary).not.toBe('');
          for (const { workerId } of fate.workers) expect([null, workerId]).toContain(worker);
        });
        const own = told.wishes.reduce((sum, { placed }) => sum + placed, 0);
        expect(told.workers.reduce((sum, { placed }) => sum + placed, 0)).toBe(own);
      }),
      { numRuns: 300 },
    );
  });

  it('is what the next pass does with the same tasks, behind what waits already', () => {
    fc.assert(
      fc.property(cluster, wishLists, backlogs, seeds, quotas, (workers, wishes, backlog, seed, limits) => {
        const told = ask(workers, wishes, { backlog, seed, quotas: limits });
        const { made, wishOf } = planFor(workers, wishes, backlog, seed, limits);
        const went = new Map<string, number>();
        for (const { taskId, workerId } of made.placements) {
          const key = `${wishOf.get(taskId) ?? 'ahead'} ${workerId}`;
          went.set(key, (went.get(key) ?? 0) + 1);
        }
        const said = new Map<string, number>();
        told.wishes.forEach(({ workers: to }, index) => {
          for (const { workerId, count } of to) said.set(`${index} ${workerId}`, count);
        });
        for (const { workerId, placedAhead } of told.workers) {
          if (placedAhead > 0) said.set(`ahead ${workerId}`, placedAhead);
        }
        expect([...said].sort()).toEqual([...went].sort());
      }),
      { numRuns: 300 },
    );
  });

  it('says never exactly where no worker could run one even when empty, or the quota is too small', () => {
    fc.assert(
      fc.property(cluster, wishLists, seeds, quotas, (workers, wishes, seed, limits) => {
        ask(workers, wishes, { seed, quotas: limits }).wishes.forEach(({ verdict }, index) => {
          const { need: wanted, worker, labels, ownerId } = wishes[index]!;
          const couldRun = workers.some(
            (one) =>
              (worker === null || worker === one.id) &&
              meetsTerms(labels.constraints, one.labels) &&
              fits(wanted, one.capacity),
          );
          const mayRun = allows(limits.get(ownerId) ?? null, NO_RESOURCES, wanted);
          expect(verdict === 'never').toBe(!couldRun || !mayRun);
        });
      }),
    );
  });

  it('takes as many passes as it needs, and each knows what those before it took', () => {
    const room = PASS_LIMIT + 100;
    const large = need({ cpuMillis: 1000 * room, memoryMb: 512 * room });
    const workers = [view('w1', { capacity: large })];
    const steps = whatIf(
      { ...BARE, workers, owners: new Map(), leaving: new Map(), backlog: [], memory: NO_MEMORY },
      [wish({ count: 2 * PASS_LIMIT })],
      NOW,
      0,
      PLAIN_WAITING.ownerId,
    );
    let pauses = 0;
    let step = steps.next();
    for (; !step.done; step = steps.next()) pauses += 1;
    expect(step.value.wishes[0]).toMatchObject({ placed: room, verdict: 'waits' });
    expect(step.value.workers).toMatchObject([{ workerId: 'w1', placed: room, taken: large }]);
    expect(pauses).toBeGreaterThanOrEqual(2);
  });

  it('goes on with the rotation where the scheduler left it', () => {
    const workers = [view('w1'), view('w2'), view('w3')];
    const told = ask(workers, [wish()], { memory: { recent: ['w1'], reservations: [] } });
    expect(told.wishes[0]?.workers).toEqual([{ workerId: 'w2', count: 1 }]);
  });

  it('leaves out of the backlog what is too varied to be compared, and says so', () => {
    const workers = Array.from({ length: 500 }, (_, n) => view(`w${String(n).padStart(3, '0')}`));
    const varied = Array.from({ length: 1_001 }, (_, n) =>
      waits({ resources: need({ memoryMb: 1_000 + n }) }),
    );
    const told = ask(workers, [wish()], { backlog: varied });
    expect(told.isPartial).toBe(true);
    expect(told.workers.reduce((sum, { placedAhead }) => sum + placedAhead, 0)).toBe(1_000);
    expect(ask(workers, [wish()], { backlog: varied.slice(0, 1_000) }).isPartial).toBe(false);
    expect(mostKinds(500) * 500).toBeLessThanOrEqual(1_000_000);
    expect(countKinds([wish(), wish({ count: 9 }), wish({ priority: 1 })])).toBe(2);
  });
});

describe('in words', () => {
  const summary = (
    workers: WorkerView[],
    one: Partial<Wish>,
    backlog: WaitingTask[] = [],
    given: Parameters<typeof ask>[2] = {},
  ) => {
    const [fate] = ask(workers, [wish(one)], { backlog, ...given }).wishes;
    return [fate?.verdict, fate?.reason, fate?.summary];
  };

  it('says where they would go', () => {
    expect(summary([view('w1')], {})).toEqual(['now', null, 'Would be placed now, on w1.']);
    expect(summary([view('w1'), view('w2')], { count: 8 })).toEqual([
      'now',
      null,
      'All 8 would be placed now, on 2 workers.',
    ]);
  });

  it('says what the rest lacks once the others are placed', () => {
    expect(summary([view('w1')], { count: 6 })).toEqual([
      'waits',
      'no_room',
      '4 of 6 would be placed now. The next one waits: needs 1 core, the only worker (w1) has 0 free of 4.',
    ]);
  });

  it('counts what waits already as taken', () => {
    const told = summary([view('w1')], { need: need({ cpuMillis: 2000 }) }, [waits(), waits(), waits()]);
    expect(told).toEqual([
      'waits',
      'no_room',
      'Waits: needs 2 cores, the only worker (w1) has 1 free of 4. With 1 core it could start now on w1.',
    ]);
  });

  it('says that none is large enough', () => {
    const [verdict, reason, text] = summary([view('w1')], { need: need({ gpus: 2 }), count: 3 });
    expect([verdict, reason]).toEqual(['never', 'too_large']);
    expect(text).toContain('No worker of the cluster is large enough: needs 2 GPUs, the largest (w1) has 0');
  });

  it('tells a worker that is not there from one that is closed', () => {
    expect(summary([view('w1')], { worker: 'w9' }).slice(0, 2)).toEqual(['never', 'worker_unknown']);
    expect(summary([view('w1', { state: 'cordoned' })], { worker: 'w1' }).slice(0, 2)).toEqual([
      'waits',
      'worker_cordoned',
    ]);
    // The large one is closed, so the plan calls it too large; it is not for ever.
    const large = view('w2', { state: 'draining', capacity: need({ gpus: 1 }) });
    expect(summary([view('w1'), large], { need: need({ gpus: 1 }) }).slice(0, 2)).toEqual([
      'waits',
      'no_ready_worker',
    ]);
    expect(summary([], {}).slice(0, 2)).toEqual(['never', 'no_ready_worker']);
  });

  it('says which labels nobody has, and that those who have them are closed', () => {
    const ssd = { constraints: { disk: ['ssd'] }, prefer: {} };
    expect(summary([view('w1')], { labels: ssd }).slice(0, 2)).toEqual(['never', 'labels_missing']);
    const closed = view('w2', { labels: { disk: 'ssd' }, state: 'cordoned' });
    expect(summary([view('w1'), closed], { labels: ssd }).slice(0, 2)).toEqual(['waits', 'no_ready_match']);
    const open = view('w2', { labels: { disk: 'ssd' } });
    expect(ask([view('w1'), open], [wish({ labels: ssd, count: 4 })]).wishes[0]).toMatchObject({
      verdict: 'now',
      workers: [{ workerId: 'w2', count: 4 }],
    });
  });

  it('keeps to the quota, and counts what this question itself would hold', () => {
    const limits = new Map([[PLAIN_WAITING.ownerId, { cpuMillis: 2000, memoryMb: null, gpus: null }]]);
    expect(summary([view('w1')], { count: 3 }, [], { quotas: limits })).toEqual([
      'waits',
      'quota_used',
      '2 of 3 would be placed now. The next one waits: needs 1 core, and you hold 2 of your 2 cores; it starts when ' +
        'one of your 2 running tasks ends. With a quota of 3 cores it could start now on w1.',
    ]);
    expect(
      summary([view('w1')], { need: need({ cpuMillis: 3000 }) }, [], { quotas: limits }).slice(0, 2),
    ).toEqual(['never', 'over_quota']);
    const told = ask([view('w1')], [wish({ count: 3 })], { quotas: limits, reader: 'user-admin' });
    expect(told.wishes[0]?.summary).toContain('its owner holds 2 of the 2 cores of the quota');
  });

  it('says whom it would send away', () => {
    const full = view('w1', { free: need({ cpuMillis: 0, memoryMb: 8192 }) });
    const low = {
      ...PLAIN_HOLDING,
      taskId: 'task-x',
      workerId: 'w1',
      attempt: 1,
      assignedAt: 0,
      priority: 1,
    };
    const holding = { ...low, state: 'running' as const, resources: need({ cpuMillis: 4000 }) };
    const over = { rules: { ...DEFAULT_RULES, preemption: true }, holdingsOf: () => [holding] };
    const [verdict, reason, text] = summary([full], { priority: 9 }, [], { over });
    expect([verdict, reason]).toEqual(['waits', 'preempting']);
    expect(text).toContain('w1 is being made free for it: 1 task there has been told to leave.');
    expect(summary([full], { priority: 1 }, [], { over })[1]).toBe('no_room');
  });

  it('knows for whom the leader keeps workers', () => {
    const reservation = {
      workerId: 'w1',
      groupKey: groupKey(waits({ id: 'task-1', resources: need({ cpuMillis: 4000 }) })),
      taskId: 'task-1',
      since: NOW - 1,
      until: NOW + 1,
      tried: [],
    };
    const half = view('w1', { free: need({ cpuMillis: 2000, memoryMb: 8192 }) });
    const starving = waits({ id: 'task-1', resources: need({ cpuMillis: 4000 }) });
    const memory = { recent: [], reservations: [reservation] };
    expect(summary([half], {}, [starving], { memory }).slice(0, 2)).toEqual(['waits', 'no_room']);
    expect(summary([half], {}, [starving]).slice(0, 2)).toEqual(['now', null]);
  });

  it('says that a worker with room is kept for others', () => {
    const starving = waits({ resources: need({ cpuMillis: 4000 }), queuedAt: NOW - RESERVE_AFTER_MS });
    const half = view('w1', { free: need({ cpuMillis: 2000, memoryMb: 8192 }) });
    expect(summary([half], {}, [starving])).toEqual([
      'waits',
      'no_room',
      'Waits: w1 has room, but is kept free for a task that has waited longer.',
    ]);
  });
});
