// The rule by which a task may go to a worker. Plan and explain both ask here, so that what a user is told is
// what happens. Pure.

import { type LabelDemand, type LabelTerms, meetsTerms, unmetTerms } from '../../shared/model/labels.ts';
import { placingLabels, withoutMounts } from '../../shared/model/mounts.ts';
import {
  addResources,
  fits,
  NO_RESOURCES,
  type Resources,
  type Shortfall,
  shortfalls,
  subtractResources,
} from '../../shared/model/resources.ts';
import type { ResourceQuota } from '../../shared/model/user.ts';
import { type HeardWorker, workerState } from '../../shared/model/worker.ts';
import { describeTroubles } from '../../shared/model/worker-health.ts';
import type { Holding, WorkerView } from './snapshot.ts';

/** What a task asks of the worker it goes to (part of `Group`). */
export interface Asked {
  readonly need: Resources;
  /** Direct assignment, or null. */
  readonly worker: string | null;
  readonly labels: Pick<LabelDemand, 'constraints'>;
}

export type Exclusion =
  | 'other_worker_requested'
  /** It does not have the labels that the task must find. */
  | 'labels'
  /** It has these, and does not let be mounted what the task mounts. */
  | 'mounts'
  | 'down'
  | 'cordoned'
  | 'draining'
  | 'unhealthy'
  /** It is being kept free for another line of tasks. */
  | 'reserved';

/**
 * The rule that keeps a task out of a worker whatever its size, or null. What no waiting can change goes first.
 * @param isKept for another line than that of the task
 */
function exclusionOf(
  worker: Pick<WorkerView, 'id' | 'state' | 'labels'>,
  { worker: target, labels }: Omit<Asked, 'need'>,
  isKept = false,
): Exclusion | null {
  if (target !== null && target !== worker.id) return 'other_worker_requested';
  if (!meetsTerms(labels.constraints, worker.labels))
    return meetsTerms(withoutMounts(labels.constraints), worker.labels) ? 'mounts' : 'labels';
  if (worker.state !== 'ready') return worker.state;
  return isKept ? 'reserved' : null;
}

export interface Verdict {
  readonly worker: WorkerView;
  readonly excludedBy: Exclusion | null;
  /** No rule keeps it out and there is room now. */
  readonly fitsNow: boolean;
  /** There would be room if nothing else ran there. */
  readonly fitsWhenEmpty: boolean;
  /** Against what is free now. */
  readonly missing: readonly Shortfall[];
  /** The labels that the task must find and this worker does not have. */
  readonly unmet: LabelTerms;
  /** It is being kept free for another line of tasks. */
  readonly isKept: boolean;
}

/** One task and one worker; what its owner may hold is another question (`roomOf`). */
export function judge(asked: Asked, worker: WorkerView, isKept = false): Verdict {
  const { need, labels } = asked;
  const excludedBy = exclusionOf(worker, asked, isKept);
  return {
    worker,
    excludedBy,
    fitsNow: excludedBy === null && fits(need, worker.free),
    fitsWhenEmpty: fits(need, worker.capacity),
    missing: shortfalls(need, worker.free),
    unmet: unmetTerms(labels.constraints, worker.labels),
    isKept,
  };
}

/**
 * What an owner may still take: endless where nothing is limited, and nothing where more is held than is allowed (the
 * quota became smaller), so that a task that needs nothing of that dimension may still go.
 */
export function roomOf(quota: ResourceQuota | null, held: Resources = NO_RESOURCES): Resources {
  const left = (most: number | null | undefined, taken: number) =>
    most === null || most === undefined ? Number.POSITIVE_INFINITY : Math.max(0, most - taken);
  return {
    cpuMillis: left(quota?.cpuMillis, held.cpuMillis),
    memoryMb: left(quota?.memoryMb, held.memoryMb),
    gpus: left(quota?.gpus, held.gpus),
    storageMb: Number.POSITIVE_INFINITY,
  };
}

/** The smaller of both in each dimension. */
export function lesserOf(a: Resources, b: Resources): Resources {
  return {
    cpuMillis: Math.min(a.cpuMillis, b.cpuMillis),
    memoryMb: Math.min(a.memoryMb, b.memoryMb),
    gpus: Math.min(a.gpus, b.gpus),
    storageMb: Math.min(a.storageMb, b.storageMb),
  };
}

/** How far a need is from fitting: dimensions short first, then the parts of the request that are missing. */
export function distance(missing: readonly Shortfall[]): number {
  return missing.reduce((sum, one) => sum + 10 + one.missing / one.required, 0);
}

/** `distance(shortfalls(need, room))` without making them: asked for thousands of workers at a time. */
export function distanceTo(need: Resources, room: Resources): number {
  return (
    partMissing(need.cpuMillis, room.cpuMillis) +
    partMissing(need.memoryMb, room.memoryMb) +
    partMissing(need.gpus, room.gpus) +
    partMissing(need.storageMb, room.storageMb)
  );
}

/** Of one dimension: 10 for being short of it, and the part of the request that is missing. */
export function partMissing(need: number, room: number): number {
  return need > room ? 10 + (need - room) / need : 0;
}

/**
 * What is left of `capacity`. Where a worker is over-committed (it came back smaller) nothing is free there, so
 * that a task that needs nothing of that dimension may still go there.
 */
export function freeOf(capacity: Resources, held: Resources): Resources {
  const left = subtractResources(capacity, held);
  return {
    cpuMillis: Math.max(0, left.cpuMillis),
    memoryMb: Math.max(0, left.memoryMb),
    gpus: Math.max(0, left.gpus),
    storageMb: Math.max(0, left.storageMb),
  };
}

/** The devices that nobody is known to hold, in the order of the worker. */
export function freeGpusOf(all: readonly string[], held: readonly string[]): readonly string[] {
  return held.length === 0 ? all : all.filter((id) => !held.includes(id));
}

/** The state of a worker and, where it is unhealthy, why. */
export function standingOf(worker: HeardWorker): Pick<WorkerView, 'state' | 'trouble'> {
  const state = workerState(worker);
  return state === 'unhealthy' ? { state, trouble: describeTroubles(worker.troubles ?? []) } : { state };
}

/** Workers as the plan sees them, from records, heartbeats and what placed tasks hold; in order of id. */
export function viewWorkers(workers: readonly HeardWorker[], holdings: Iterable<Holding>): WorkerView[] {
  const held = new Map<string, Resources>();
  const gpus = new Map<string, string[]>();
  for (const { workerId, resources, gpuIds } of holdings) {
    if (gpuIds.length > 0) gpus.set(workerId, [...(gpus.get(workerId) ?? []), ...gpuIds]);
    held.set(workerId, addResources(held.get(workerId) ?? NO_RESOURCES, resources));
  }
  return workers
    .map((worker) => ({
      id: worker.id,
      ...standingOf(worker),
      capacity: worker.capacity,
      free: freeOf(worker.capacity, held.get(worker.id) ?? NO_RESOURCES),
      labels: placingLabels(worker),
      freeGpus: freeGpusOf(worker.gpuIds, gpus.get(worker.id) ?? []),
    }))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}
