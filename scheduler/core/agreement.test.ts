// What people are told of a wait is what the plan does: of clusters with labels, quotas, devices, kept workers.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fits, NO_RESOURCES, type Resources, subtractResources } from '../../shared/model/resources.ts';
import { DEFAULT_RULES, POLICIES, type Reservation } from '../../shared/model/scheduling.ts';
import type { Task } from '../../shared/model/task.ts';
import type { ResourceQuota } from '../../shared/model/user.ts';
import type { Worker } from '../../shared/model/worker.ts';
import {
  amounts,
  busyCluster,
  cluster,
  demand,
  ids,
  owners,
  quotas,
} from '../../test/support/generated-clusters.ts';
import { makeRegistration, makeTask } from '../../test/support/tasks.ts';
import { BARE, PLAIN_HOLDING, PLAIN_WAITING } from '../../test/support/waiting.ts';
import { Backlog, groupKey } from './backlog.ts';
import { explain, judgeAll } from './explain.ts';
import { allows } from './fair-share.ts';
import { roomOf } from './fit.ts';
import { plan } from './plan.ts';
import { type Scene, sceneOf } from './scene.ts';
import type { Holding, Plan, WaitingTask, WorkerView } from './snapshot.ts';
import { type Change, suggestChange } from './suggest.ts';
import { type LineAsked, mayHave, prospectOf } from './wait-reason.ts';

const NOW = 1_700_000_000_000;
const MINUTE = 60_000;

const little: Resources = { cpuMillis: 500, memoryMb: 0, gpus: 0, storageMb: 0 };
const wish = fc.record({
  resources: fc.oneof(amounts, fc.constant(little)),
  labels: demand,
  worker: fc.constantFrom(null, null, null, null, null, null, 'w1', 'w2', 'w3', 'nowhere'),
  ownerId: fc.constantFrom(...owners),
  notBefore: fc.constantFrom(0, 0, 0, NOW, NOW + 1),
});
/** Whom a worker is kept for, if any: somebody else who needs all of it, or the task itself. */
const keeping = fc.record({
  place: fc.constantFrom(null, 0, 0, 1, 2),
  forItself: fc.boolean(),
  isOver: fc.boolean(),
  /** The task is for that very worker. */
  isWanted: fc.boolean(),
});
const world = fc.record({
  views: fc.oneof({ weight: 1, arbitrary: cluster }, { weight: 4, arbitrary: busyCluster }),
  holders: fc.array(fc.constantFrom(...owners), { minLength: ids.length, maxLength: ids.length }),
  knowsDevices: fc.boolean(),
  quotas,
  wish,
  keeping,
  policy: fc.constantFrom(...POLICIES),
  seed: fc.nat(1_000),
});
type World = typeof world extends fc.Arbitrary<infer T> ? T : never;

function recordOf({ id, state, capacity, labels }: WorkerView): Worker {
  return {
    ...makeRegistration({
      id,
      capacity,
      labels,
      gpuIds: Array.from({ length: capacity.gpus }, (_, n) => `${id}-${n}`),
    }),
    maintenance: state === 'cordoned' || state === 'draining' ? state : 'none',
    liveness: state === 'down' ? 'down' : 'up',
    drainUntil: null,
    livenessAt: 0,
  };
}

/** Each view came about by one task that holds what is not free there. */
function holdingsOf({ views, holders, knowsDevices }: World): Holding[] {
  return views.flatMap(({ id, capacity, free }, n): Holding[] => {
    const resources = subtractResources(capacity, free);
    if (fits(resources, NO_RESOURCES)) return [];
    const gpuIds = Array.from({ length: knowsDevices ? resources.gpus : 0 }, (_, gpu) => `${id}-${gpu}`);
    const by = { ownerId: holders[n] as string, taskId: `on-${id}`, workerId: id };
    return [{ ...PLAIN_HOLDING, ...by, attempt: 1, state: 'running', resources, gpuIds, assignedAt: 0 }];
  });
}

interface Case {
  readonly task: Task;
  readonly waiting: WaitingTask;
  readonly asked: LineAsked;
  readonly scene: Scene;
  readonly plan: Plan;
}

function caseOf(of: World): Case {
  const { views, wish: wanted, keeping: kept, seed, policy } = of;
  const place = kept.place === null ? undefined : views[kept.place];
  const { resources, labels, ownerId, notBefore } = wanted;
  const worker = place && kept.isWanted ? place.id : wanted.worker;
  const task = makeTask({ resources, worker, ...labels }, { id: 'task-1', ownerId, notBefore });
  const asked = { ownerId, resources, labels, worker, notBefore };
  const waiting: WaitingTask = { ...PLAIN_WAITING, id: 'task-1', ...asked, queuedAt: NOW };
  const holdings = holdingsOf(of);
  const reservations: Reservation[] = [];
  const backlog = new Backlog();
  backlog.put(waiting, NOW);
  if (place) {
    // Whoever it is kept for needs all of it, and so waits as long as anything runs there.
    const other: WaitingTask = {
      ...PLAIN_WAITING,
      queuedAt: NOW,
      id: 'task-0',
      ownerId: 'user-9',
      resources: place.capacity,
      worker: place.id,
    };
    const isBusy = holdings.some(({ workerId }) => workerId === place.id);
    const since = NOW - MINUTE;
    const until = kept.isOver ? NOW : NOW + MINUTE;
    const holder = kept.forItself ? waiting : other;
    if (kept.forItself || isBusy) {
      reservations.push({
        workerId: place.id,
        groupKey: groupKey(holder),
        taskId: holder.id,
        since,
        until,
        tried: [],
      });
      if (!kept.forItself && !kept.isOver) backlog.put(other, NOW);
    }
  }
  const known = { workers: views.map(recordOf), holdings, quotas: of.quotas, reservations };
  const scene = sceneOf(known, NOW);
  const { workers, owners: accounts } = scene;
  const memory = { recent: [], reservations };
  const snapshot = { ...BARE, workers, owners: accounts, groups: backlog.groups(), memory, limit: 100 };
  return {
    task,
    waiting,
    asked: { ...waiting, need: resources },
    scene: usable(scene),
    plan: plan({ ...snapshot, rules: { ...DEFAULT_RULES, policy } }, NOW, seed),
  };
}

/** A leader forgets what it keeps as soon as that worker is closed, and says so with its next report. */
function usable(scene: Scene): Scene {
  const ready = new Set(scene.workers.filter(({ state }) => state === 'ready').map(({ id }) => id));
  return { ...scene, kept: new Map([...scene.kept].filter(([id]) => ready.has(id))) };
}

describe('explain and the plan', () => {
  it('agree: a task fits now exactly when the next plan would place it', () => {
    fc.assert(
      fc.property(world, (of) => {
        const { task, scene, plan: made } = caseOf(of);
        const told = explain(task, scene, { ahead: 0, now: NOW, reader: task.ownerId });
        const placed = made.placements.find(({ taskId }) => taskId === task.id);
        expect(told.fitsNow).toBe(placed !== undefined);
        if (placed) {
          expect(told.workers.find(({ worker }) => worker.id === placed.workerId)?.fitsNow).toBe(true);
          expect(told.reason).toBe('next');
        } else expect(['next', 'behind']).not.toContain(told.reason);
        expect(told.summary).not.toMatch(/undefined|null|NaN|Infinity/);
      }),
      { numRuns: 500 },
    );
  });

  it('call what cannot be helped by waiting the same', () => {
    fc.assert(
      fc.property(world, (of) => {
        const { task, waiting, scene, plan: made } = caseOf(of);
        const reason = made.waiting.get(groupKey(waiting));
        if (reason === undefined || reason === 'not_yet') return;
        const told = explain(task, scene, { ahead: 0, now: NOW, reader: task.ownerId });
        const same = {
          labels_missing: 'labels_missing',
          mounts_missing: 'mounts_missing',
          worker_unknown: 'worker_missing',
          quota_used: 'quota_used',
          reserved: 'reserved',
        } as const;
        if (reason in same) expect(told.reason).toBe(same[reason as keyof typeof same]);
        if (reason === 'over_quota') expect(told.feasible).toBe(false);
        if (told.feasible === false && told.reason === 'over_quota') {
          expect(allows(of.quotas.get(task.ownerId) ?? null, NO_RESOURCES, waiting.resources)).toBe(false);
        }
        if (reason === 'no_room') expect(['no_room', 'reserved']).toContain(told.reason);
      }),
      { numRuns: 500 },
    );
  });
});

describe('a suggestion', () => {
  it('does what it promises, by itself', () => {
    fc.assert(
      fc.property(world, (of) => {
        const { asked, scene } = caseOf(of);
        const { verdicts, mayGo } = judgeAll(asked, scene);
        if (mayGo) return;
        const owner = scene.owners.get(asked.ownerId) ?? { held: NO_RESOURCES, quota: null };
        const change = suggestChange(asked, owner, verdicts);
        if (!change) return;
        const [then, there] = applied(change, asked, scene);
        expect(mayHave(then, there)).toBe(true);
        const verdict = judgeAll(then, there).verdicts.find(({ worker }) => worker.id === change.workerId);
        expect(verdict?.fitsNow).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

function applied(change: Change, asked: LineAsked, scene: Scene): [LineAsked, Scene] {
  // Whom a worker is kept for stays as it is, though the changed task is of another line.
  const kept = new Map([...scene.kept].filter(([, { taskId }]) => taskId !== 'task-1'));
  const there = { ...scene, kept };
  switch (change.kind) {
    case 'untie':
      return [{ ...asked, worker: null }, there];
    case 'drop_labels': {
      const terms = Object.entries(asked.labels.constraints).filter(([name]) => !(name in change.terms));
      return [{ ...asked, labels: { ...asked.labels, constraints: Object.fromEntries(terms) } }, there];
    }
    case 'shrink':
      return [{ ...asked, need: change.need }, there];
    case 'raise_quota': {
      const owner = scene.owners.get(asked.ownerId);
      if (!owner) throw new Error('a quota of nobody');
      return [asked, { ...there, owners: new Map([[asked.ownerId, { ...owner, quota: change.quota }]]) }];
    }
    case 'uncordon': {
      const workers = scene.workers.map((one) =>
        one.id === change.workerId ? { ...one, state: 'ready' as const } : one,
      );
      return [asked, { ...there, workers }];
    }
  }
}

describe('the room that a quota leaves', () => {
  const quota: fc.Arbitrary<ResourceQuota> = quotas.map(
    (all) => all.get('user-1') ?? { cpuMillis: null, memoryMb: null, gpus: null },
  );
  it('is what the plan allows', () => {
    fc.assert(
      fc.property(quota, amounts, amounts, (limit, held: Resources, need: Resources) => {
        expect(fits(need, roomOf(limit, held))).toBe(allows(limit, held, need));
        const isWithin = (['cpuMillis', 'memoryMb', 'gpus'] as const).every((dimension) => {
          const most = limit[dimension];
          return most === null || need[dimension] === 0 || held[dimension] + need[dimension] <= most;
        });
        expect(allows(limit, held, need)).toBe(isWithin);
      }),
    );
  });

  it('is part of the reason alone where a worker has room', () => {
    fc.assert(
      fc.property(world, (of) => {
        const { asked, scene } = caseOf(of);
        const { code } = prospectOf(asked, scene, asked.ownerId);
        expect(code === 'fits').toBe(judgeAll(asked, scene).mayGo);
      }),
      { numRuns: 300 },
    );
  });
});
