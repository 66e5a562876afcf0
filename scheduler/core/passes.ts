// As many passes of the plan as the scheduler would make from one picture on, if nothing ended and nothing else came.
// Pure, in steps; it places by `plan` alone.

import {
  addResources,
  NO_RESOURCES,
  type Resources,
  subtractResources,
} from '../../shared/model/resources.ts';
import type { PlanRules } from '../../shared/model/scheduling.ts';
import type { Backlog } from './backlog.ts';
import { PASS_LIMIT, plan } from './plan.ts';
import type {
  OwnerView,
  Placement,
  PlanMemory,
  Preemption,
  Snapshot,
  WaitReason,
  WorkerView,
} from './snapshot.ts';

export interface Before {
  /** In order of id. */
  readonly workers: readonly WorkerView[];
  readonly owners: ReadonlyMap<string, OwnerView>;
  readonly holdingsOf: Snapshot['holdingsOf'];
  readonly rules: PlanRules;
  readonly memory: PlanMemory;
}

/** What is known of a task that may be placed. */
export interface Candidate {
  readonly ownerId: string;
  readonly resources: Resources;
}

export interface Afterwards {
  readonly workers: readonly WorkerView[];
  readonly owners: ReadonlyMap<string, OwnerView>;
  readonly placements: readonly Placement[];
  readonly preemptions: readonly Preemption[];
  /** By group key: why the rest waits. */
  readonly waiting: ReadonlyMap<string, WaitReason>;
  readonly memory: PlanMemory;
}

/** @param candidates by id, all that `backlog` holds; what is placed is taken out of that */
export function* placeAll(
  before: Before,
  backlog: Backlog,
  candidates: ReadonlyMap<string, Candidate>,
  now: number,
  seed: number,
): Generator<void, Afterwards, void> {
  const { rules, holdingsOf } = before;
  const workers = [...before.workers];
  const indexOf = new Map(workers.map(({ id }, index) => [id, index]));
  const owners = new Map(before.owners);
  const placements: Placement[] = [];
  // By who leaves: the next pass would tell them again, as they still hold their places.
  const preemptions = new Map<string, Preemption>();
  let { memory } = before;
  let waiting: ReadonlyMap<string, WaitReason> = new Map();
  for (let goesOn = true; goesOn; ) {
    yield;
    const snapshot = { workers, groups: backlog.groups(), owners, images: new Map(), holdingsOf };
    const made = plan({ ...snapshot, rules, memory, limit: PASS_LIMIT }, now, seed);
    for (const placement of made.placements) {
      const { taskId, workerId } = placement;
      const { ownerId, resources } = candidates.get(taskId) as Candidate;
      const index = indexOf.get(workerId) as number;
      workers[index] = withTask(workers[index] as WorkerView, resources, placement.gpuIds);
      const owner = owners.get(ownerId);
      owners.set(ownerId, {
        quota: owner?.quota ?? null,
        held: addResources(owner?.held ?? NO_RESOURCES, resources),
      });
      backlog.take(taskId, now);
      placements.push(placement);
    }
    for (const one of made.preemptions) preemptions.set(one.taskId, one);
    ({ memory, waiting } = made);
    // A pass that changes nothing would be followed by the same.
    goesOn = made.more && made.placements.length > 0;
  }
  return { workers, owners, placements, preemptions: [...preemptions.values()], waiting, memory };
}

function withTask(worker: WorkerView, need: Resources, gpuIds: readonly string[]): WorkerView {
  return {
    ...worker,
    free: subtractResources(worker.free, need),
    freeGpus: gpuIds.length === 0 ? worker.freeGpus : worker.freeGpus.filter((id) => !gpuIds.includes(id)),
  };
}
