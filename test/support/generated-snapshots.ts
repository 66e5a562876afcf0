// Whole pictures of a cluster as fast-check makes them: labels, devices, owners with quotas, images, running tasks, and a
// backlog. For what the plan must hold of any.

import fc from 'fast-check';
import { Backlog } from '../../scheduler/core/backlog.ts';
import { Ledger } from '../../scheduler/core/ledger.ts';
import { type Holding, NO_MEMORY, type Snapshot, type WaitingTask } from '../../scheduler/core/snapshot.ts';
import type { LabelDemand } from '../../shared/model/labels.ts';
import { fits, type Resources, subtractResources } from '../../shared/model/resources.ts';
import { DEFAULT_RULES, type PlanRules, POLICIES } from '../../shared/model/scheduling.ts';
import type { ResourceQuota } from '../../shared/model/user.ts';
import type { Worker } from '../../shared/model/worker.ts';
import { makeRegistration } from './tasks.ts';

export const AT = 1_000_000_000;

export interface Scene {
  readonly workers: readonly Worker[];
  readonly holdings: readonly Holding[];
  readonly tasks: readonly WaitingTask[];
  readonly quotas: ReadonlyMap<string, ResourceQuota>;
  readonly images: ReadonlyMap<string, readonly string[]>;
  readonly rules: PlanRules;
}

const capacity: fc.Arbitrary<Resources> = fc.record({
  cpuMillis: fc.integer({ min: 1, max: 5 }).map((n) => n * 1000),
  memoryMb: fc.integer({ min: 2, max: 5 }).map((n) => n * 256),
  gpus: fc.constantFrom(0, 2, 4),
  storageMb: fc.integer({ min: 0, max: 2 }).map((n) => n * 100),
});
const need: fc.Arbitrary<Resources> = fc.record({
  cpuMillis: fc.integer({ min: 1, max: 6 }).map((n) => n * 250),
  memoryMb: fc.integer({ min: 0, max: 3 }).map((n) => n * 128),
  gpus: fc.constantFrom(0, 0, 0, 1, 1, 2),
  storageMb: fc.constantFrom(0, 0, 0, 100),
});
const labels = fc.record(
  { disk: fc.constantFrom('ssd', 'hdd'), zone: fc.constantFrom('a', 'b') },
  { requiredKeys: [] },
) as fc.Arbitrary<Record<string, string>>;
const terms = fc.record(
  {
    disk: fc.constantFrom(['ssd'], ['hdd'], ['ssd', 'hdd'], ['tape']),
    zone: fc.constantFrom(['a'], ['b']),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<Record<string, string[]>>;
const demand: fc.Arbitrary<LabelDemand> = fc.record({
  constraints: fc.oneof({ weight: 4, arbitrary: fc.constant({}) }, terms),
  prefer: fc.oneof({ weight: 2, arbitrary: fc.constant({}) }, terms),
});
const owner = fc.constantFrom('ada', 'bob', 'eve');
const image = fc.constantFrom('busybox:latest', 'python:3.9');
const WORKER_IDS = ['w1', 'w2', 'w3', 'w4', 'w5', 'w6', 'w7'];

const worker = (id: string): fc.Arbitrary<Worker> =>
  fc
    .record({
      capacity,
      labels,
      maintenance: fc.constantFrom('none' as const, 'none' as const, 'none' as const, 'cordoned' as const),
      liveness: fc.constantFrom('up' as const, 'up' as const, 'up' as const, 'down' as const),
    })
    .map(({ maintenance, liveness, ...own }) => ({
      ...makeRegistration({ id, ...own }),
      gpuIds: Array.from({ length: own.capacity.gpus }, (_, n) => `gpu-${n}`),
      maintenance,
      drainUntil: null,
      liveness,
      livenessAt: 0,
    }));

const waiting: fc.Arbitrary<Omit<WaitingTask, 'id'>> = fc
  .record({
    ownerId: owner,
    priority: fc.integer({ min: 0, max: 9 }),
    resources: need,
    worker: fc.constantFrom(null, null, null, null, null, null, null, 'w1', 'w4', 'nowhere'),
    labels: demand,
    image,
    notBefore: fc.constantFrom(0, 0, 0, 0, 0, AT, AT + 1),
    queuedAt: fc.constantFrom(AT, AT - 30_000, AT - 61_000, AT - 700_000),
    expectedMs: fc.constantFrom(1_000, 60_000, 300_000),
    k: fc.constantFrom(1, 1.2, 3),
  })
  .map(({ k, ...task }) => ({
    ...task,
    revision: 1,
    submittedAt: task.queuedAt,
    deadline: Math.round(task.queuedAt + k * task.expectedMs),
  }));

const quota: fc.Arbitrary<ResourceQuota> = fc.record({
  cpuMillis: fc.option(fc.constantFrom(0, 1_000, 3_000)),
  memoryMb: fc.option(fc.constantFrom(0, 256, 1_024)),
  gpus: fc.option(fc.constantFrom(0, 1, 3)),
});

const planRules: fc.Arbitrary<PlanRules> = fc.record({
  policy: fc.constantFrom(...POLICIES),
  ageingMs: fc.constantFrom(DEFAULT_RULES.ageingMs, 60_000),
  reserveAfterMs: fc.constantFrom(DEFAULT_RULES.reserveAfterMs, 600_000),
  preemption: fc.boolean(),
});

export const scene: fc.Arbitrary<Scene> = fc
  .record({
    ids: fc.oneof(
      { weight: 8, arbitrary: fc.subarray(WORKER_IDS, { minLength: 2 }) },
      fc.subarray(WORKER_IDS),
    ),
    running: fc.array(
      fc.record({ ownerId: owner, priority: fc.integer({ min: 0, max: 9 }), need, on: fc.nat(6) }),
      {
        minLength: 4,
        maxLength: 24,
      },
    ),
    tasks: fc.array(waiting, { minLength: 6, maxLength: 30 }),
    quotas: fc.dictionary(owner, quota, { maxKeys: 3 }),
    images: fc.dictionary(image, fc.subarray(WORKER_IDS), { maxKeys: 2 }),
    rules: planRules,
  })
  .chain(({ ids, ...rest }) =>
    fc.tuple(...ids.map(worker)).map((workers): Scene => {
      return {
        workers,
        holdings: holdingsOn(workers, rest.running),
        tasks: rest.tasks.map((task, n) => ({ ...task, id: `task-${String(n).padStart(4, '0')}` })),
        quotas: new Map(Object.entries(rest.quotas)),
        images: new Map(Object.entries(rest.images)),
        rules: rest.rules,
      };
    }),
  );

/** As many of the wanted ones as fit. */
function holdingsOn(
  workers: readonly Worker[],
  wanted: readonly { ownerId: string; priority: number; need: Resources; on: number }[],
): Holding[] {
  const free = new Map(workers.map(({ id, capacity: whole, gpuIds }) => [id, { room: whole, gpuIds }]));
  return wanted.flatMap(({ ownerId, priority, need: resources, on }, n): Holding[] => {
    const id = workers[on % Math.max(1, workers.length)]?.id;
    const left = id === undefined ? undefined : free.get(id);
    if (!id || !left || !fits(resources, left.room)) return [];
    free.set(id, {
      room: subtractResources(left.room, resources),
      gpuIds: left.gpuIds.slice(resources.gpus),
    });
    return [
      {
        taskId: `held-${n}`,
        ownerId,
        workerId: id,
        priority,
        attempt: 1,
        state: 'running',
        resources,
        gpuIds: left.gpuIds.slice(0, resources.gpus),
        assignedAt: AT - n,
        isLeaving: false,
      },
    ];
  });
}

/** The ledger and the backlog of a scene, as the scheduler would have them, and what a pass sees of them. */
export function openScene(of: Scene, now = AT) {
  const ledger = new Ledger();
  for (const one of of.workers) ledger.setWorker(one);
  for (const holding of of.holdings) ledger.hold(holding);
  ledger.setQuotas(of.quotas);
  const backlog = new Backlog();
  for (const task of of.tasks) backlog.put(task, now);
  const snapshot = (memory = NO_MEMORY, limit = 1_000_000): Snapshot => ({
    workers: ledger.views(),
    groups: backlog.groups(),
    owners: ledger.owners(),
    images: of.images,
    holdingsOf: (workerId) => ledger.holdingsOf(workerId),
    rules: of.rules,
    memory,
    limit,
  });
  return { ledger, backlog, snapshot };
}
