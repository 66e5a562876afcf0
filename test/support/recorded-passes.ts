// Clusters that change from pass to pass, and what a recorder keeps of the passes: what there was to see, and what came of it.

import fc from 'fast-check';
import { expect } from 'vitest';
import { Backlog } from '../../scheduler/core/backlog.ts';
import { Recorder } from '../../scheduler/core/decision-record.ts';
import { plan } from '../../scheduler/core/plan.ts';
import {
  type Group,
  type GroupEntry,
  type Holding,
  NO_MEMORY,
  type OwnerView,
  type Plan,
  type PlanMemory,
  type Snapshot,
  type WaitingTask,
  type WorkerView,
} from '../../scheduler/core/snapshot.ts';
import { type PlanRules, POLICIES } from '../../shared/model/scheduling.ts';
import { amounts, ids } from './generated-clusters.ts';
import { PLAIN_HOLDING, PLAIN_WAITING } from './waiting.ts';

const NOW = 1_764_000_000_000;
export const PLENTY = 1_000_000_000;
const owners = ['ann', 'bob', 'eve'];

/** One pass with what changes before it. */
export const passStep = fc.record({
  waits: fc.integer({ min: 1, max: 90_000 }),
  tasks: fc.array(
    fc.record({
      ownerId: fc.constantFrom(...owners),
      priority: fc.integer({ min: 0, max: 2 }),
      resources: amounts,
      worker: fc.option(fc.constantFrom(...ids, 'nowhere'), { freq: 6 }),
      labels: fc.constantFrom(
        { constraints: {}, prefer: {} },
        { constraints: { disk: ['ssd', 'nvme'] }, prefer: {} },
        { constraints: {}, prefer: { zone: ['a'] } },
      ),
      image: fc.constantFrom('python:3.9', 'busybox:latest'),
      notBefore: fc.constantFrom(0, 0, NOW + 50_000.5),
      expectedMs: fc.constantFrom(1_000, 300_000.25),
    }),
    { maxLength: 12 },
  ),
  workers: fc.array(
    fc.record({
      id: fc.constantFrom(...ids),
      state: fc.constantFrom('ready', 'ready', 'ready', 'cordoned', 'down', 'gone'),
      capacity: amounts,
      labels: fc.constantFrom({}, { disk: 'ssd' }, { disk: 'hdd', zone: 'a' }),
      gpus: fc.constantFrom([], ['GPU-0', 'GPU-1']),
    }),
    { maxLength: 4 },
  ),
  images: fc.option(fc.dictionary(fc.constantFrom('python:3.9', 'busybox:latest'), fc.subarray(ids))),
  quota: fc.option(fc.record({ owner: fc.constantFrom(...owners), cpuMillis: fc.nat(9_000) })),
  /** Of what runs: the first so many end. */
  end: fc.nat(5),
  dropTasks: fc.nat(2),
  rules: fc.record<PlanRules>({
    policy: fc.constantFrom(...POLICIES),
    preemption: fc.boolean(),
    ageingMs: fc.constantFrom(600_000, 1_000),
    reserveAfterMs: fc.constantFrom(60_000, 10),
  }),
  limit: fc.constantFrom(2, 1_000),
  /** The lines of this pass are lost. */
  isLost: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
});
export type PassStep = typeof passStep extends fc.Arbitrary<infer T> ? T : never;

/** A cluster that changes from pass to pass, as the index keeps it: what has not changed is the same object. */
class Played {
  readonly backlog = new Backlog();
  readonly tasks = new Map<string, WaitingTask>();
  readonly workers = new Map<string, WorkerView>();
  readonly holdings: Holding[] = [];
  readonly owners = new Map<string, OwnerView>();
  images: Snapshot['images'] = new Map();
  memory: PlanMemory = NO_MEMORY;
  now = NOW;
  #serial = 0;

  change(one: PassStep): void {
    this.now += one.waits;
    for (const { id, state, capacity, labels, gpus } of one.workers) {
      if (state === 'gone') this.workers.delete(id);
      else {
        const view = { id, state, capacity, free: capacity, labels, freeGpus: gpus.slice(0, capacity.gpus) };
        this.workers.set(id, view as WorkerView);
      }
    }
    for (const task of one.tasks) {
      this.#serial += 1;
      const id = `task-${String(this.#serial).padStart(5, '0')}`;
      const submittedAt = this.now - task.resources.cpuMillis;
      const times = { submittedAt, queuedAt: this.now, deadline: submittedAt + 3 * task.expectedMs };
      const waiting = { ...PLAIN_WAITING, ...task, ...times, id };
      this.tasks.set(id, waiting);
      this.backlog.put(waiting, this.now);
    }
    for (const { taskId } of this.holdings.splice(0, one.end)) this.#touch(taskId);
    for (const id of [...this.tasks.keys()].slice(0, one.dropTasks)) this.backlog.remove(id);
    if (one.images) this.images = new Map(Object.entries(one.images));
    if (one.quota) {
      const { owner, cpuMillis } = one.quota;
      const quota = { cpuMillis, memoryMb: null, gpus: null };
      this.owners.set(owner, { held: this.owners.get(owner)?.held ?? NOTHING, quota });
    }
    this.backlog.ripen(this.now);
  }

  snapshot({ rules, limit }: Pick<PassStep, 'rules' | 'limit'>): Snapshot {
    return {
      workers: [...this.workers.values()].sort((a, b) => (a.id < b.id ? -1 : 1)),
      groups: this.backlog.groups(),
      owners: this.owners,
      images: this.images,
      holdingsOf: (workerId) => this.holdings.filter((one) => one.workerId === workerId),
      rules,
      memory: this.memory,
      limit,
    };
  }

  apply(made: Plan): void {
    this.memory = made.memory;
    for (const { taskId, workerId, gpuIds } of made.placements) {
      const task = this.tasks.get(taskId) as WaitingTask;
      this.backlog.take(taskId, this.now);
      const { ownerId, priority, resources } = task;
      this.holdings.push({
        ...PLAIN_HOLDING,
        ...{ taskId, ownerId, workerId, priority, resources, gpuIds },
        attempt: 1,
        state: 'running',
        assignedAt: this.now,
      });
      const worker = this.workers.get(workerId) as WorkerView;
      const free = minus(worker.free, resources);
      this.workers.set(workerId, { ...worker, free, freeGpus: worker.freeGpus.slice(resources.gpus) });
      const owner = this.owners.get(ownerId) ?? { held: NOTHING, quota: null };
      this.owners.set(ownerId, { ...owner, held: minus(owner.held, minus(NOTHING, resources)) });
    }
  }

  #touch(taskId: string): void {
    const task = this.tasks.get(taskId) as WaitingTask;
    this.backlog.put({ ...task, revision: task.revision + 1 }, this.now);
  }
}

const NOTHING = { cpuMillis: 0, memoryMb: 0, gpus: 0, storageMb: 0 };
const minus = (a: typeof NOTHING, b: typeof NOTHING) => ({
  cpuMillis: a.cpuMillis - b.cpuMillis,
  memoryMb: a.memoryMb - b.memoryMb,
  gpus: a.gpus - b.gpus,
  storageMb: a.storageMb - b.storageMb,
});

/** What the plan asked for by key, and what it was told. */
export interface Asked {
  readonly owners: readonly (readonly [string, unknown])[];
  readonly images: readonly (readonly [string, unknown])[];
  readonly holdings: readonly (readonly [string, unknown])[];
}

export interface Recorded {
  readonly lines: string[];
  /** What the passes with an outcome that was kept saw and made, copied at that moment. */
  readonly kept: { seen: unknown; asked: Asked; made: Pick<Plan, 'placements' | 'preemptions'> }[];
}

export function play(steps: readonly PassStep[], maxBytes = PLENTY): Recorded {
  const [cluster, recorder] = [new Played(), new Recorder({ term: 7, maxBytes })];
  const [lines, kept]: [string[], Recorded['kept']] = [[], []];
  for (const one of steps) {
    cluster.change(one);
    const seen = recorder.watch(cluster.snapshot(one));
    const made = plan(seen, cluster.now, 5);
    const { lines: told } = recorder.record(seen, cluster.now, 5, made);
    const { placements, preemptions } = made;
    if (maxBytes === PLENTY) expect(told.length > 0).toBe(placements.length + preemptions.length > 0);
    if (one.isLost && told.length > 0) recorder.leaveOut(1, 'lost in a test');
    else if (told.length > 0) {
      lines.push(...told);
      if (told.at(-1)?.startsWith('{"kind":"pass"')) {
        const asked = structuredClone({
          owners: [...seen.owners.seen([])],
          images: [...seen.images.seen([])],
          holdings: [...seen.holdings],
        });
        kept.push({
          seen: picture(seen, seen.groups),
          asked,
          made: structuredClone({ placements, preemptions }),
        });
      }
    }
    cluster.apply(made);
  }
  return { lines, kept };
}

/** What there is to see in a snapshot that no plan depends on being more than it asked for. */
export function picture({ workers, rules, memory, limit }: Snapshot, groups: Iterable<Group>) {
  const lines = [...groups].map(({ key, ownerId, priority, need, worker, labels, servedAt, ...rest }) => {
    const seen = 'seen' in rest ? (rest.seen as unknown[]) : [...all(rest.inOrder())];
    const entries = seen.map((entry) => {
      const { id, queuedAt, notBefore, image, expectedMs, deadline, turn } = entry as GroupEntry;
      return { id, queuedAt, notBefore, image, expectedMs, deadline, turn };
    });
    return { key, ownerId, priority, need, worker, labels, servedAt, entries };
  });
  return structuredClone({ workers, rules, memory, limit, lines });
}

export function askedAgain({ owners, images, holdingsOf }: Snapshot, asked: Asked): Asked {
  return {
    owners: asked.owners.map(([id]) => [id, owners.get(id)]),
    images: asked.images.map(([image]) => [image, images.get(image)]),
    holdings: asked.holdings.map(([workerId]) => [workerId, holdingsOf(workerId)]),
  };
}

function* all<T>(items: Iterator<T>): IterableIterator<T> {
  for (let next = items.next(); !next.done; next = items.next()) yield next.value;
}
