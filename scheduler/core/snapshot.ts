// What the decisions of the scheduler look at and what they say. Types only: nothing here may act.

import type { Allocation } from '../../shared/model/held.ts';
import type { LabelDemand, Labels } from '../../shared/model/labels.ts';
import type { Resources } from '../../shared/model/resources.ts';
import type { PlanRules, Reservation } from '../../shared/model/scheduling.ts';
import type { ResourceQuota } from '../../shared/model/user.ts';
import type { JoinedWorkerState } from '../../shared/model/worker.ts';

/** A worker as the plan sees it. */
export interface WorkerView {
  readonly id: string;
  readonly state: JoinedWorkerState;
  /** Why it is unhealthy, in words. The plan does not look at it, and it is not among what is kept of decisions. */
  readonly trouble?: string;
  /** What it has when nothing runs there. */
  readonly capacity: Resources;
  /** Capacity minus what assigned and running tasks hold, never below zero. */
  readonly free: Resources;
  readonly labels: Labels;
  /**
   * Ids of the devices that nobody holds, in the order in which the worker lists them. Fewer than `free.gpus` where the
   * devices of some task are not known: then the runner chooses.
   */
  readonly freeGpus: readonly string[];
}

/** What a placed task holds of its worker. */
export type Holding = Allocation;

/** What the index needs of a waiting task (part of the store's `QueuedTask`). */
export interface WaitingTask {
  readonly id: string;
  readonly ownerId: string;
  readonly revision: number;
  readonly priority: number;
  readonly resources: Resources;
  /** Direct assignment: the only worker that may run it, or null. */
  readonly worker: string | null;
  readonly labels: LabelDemand;
  /** As `familiarImage` spells it. */
  readonly image: string;
  readonly submittedAt: number;
  /** How long it should run. */
  readonly expectedMs: number;
  /** When it should have ended: submitted + k × expected. */
  readonly deadline: number;
  /** Milliseconds since the epoch; 0 means at once. */
  readonly notBefore: number;
  readonly queuedAt: number;
  /** When it is given up unless it was placed before; null or absent means never. */
  readonly expiresAt?: number | null;
}

/** One entry of a group's queue. */
export interface GroupEntry {
  readonly id: string;
  readonly queuedAt: number;
  readonly notBefore: number;
  readonly image: string;
  readonly expectedMs: number;
  readonly deadline: number;
  /** Its turn within its line: the smaller goes first (see backlog.ts). */
  readonly turn: number;
}

/**
 * A line of tasks that are interchangeable for the plan but for their turn: same owner, need, direct assignment, labels
 * and priority.
 */
export interface Group {
  readonly key: string;
  readonly ownerId: string;
  readonly priority: number;
  readonly need: Resources;
  readonly worker: string | null;
  readonly labels: LabelDemand;
  /** When one of the line was placed last; 0 when none was. Its head has been passed over since then. */
  readonly servedAt: number;
  /** In the order of their turn. Only as much is sorted as is taken. */
  inOrder(): Iterator<GroupEntry>;
}

/** What one pass hands to the next. */
export interface PlanMemory {
  /** The workers that were given a task last, the newest at the end; the rotation goes on behind that one. */
  readonly recent: readonly string[];
  readonly reservations: readonly Reservation[];
}

export const NO_MEMORY: PlanMemory = { recent: [], reservations: [] };

/** What an owner has of the cluster. */
export interface OwnerView {
  /** By assigned and running tasks. */
  readonly held: Resources;
  readonly quota: ResourceQuota | null;
}

export interface Snapshot {
  /** In order of id. */
  readonly workers: readonly WorkerView[];
  readonly groups: Iterable<Group>;
  /** By id of the owner; who holds nothing and has no quota may be absent. */
  readonly owners: ReadonlyMap<string, OwnerView>;
  /** Ids of the workers that have an image, by its familiar name; what is not known is absent. */
  readonly images: ReadonlyMap<string, readonly string[]>;
  /** What is held of one worker; asked for preemption alone. */
  readonly holdingsOf: (workerId: string) => readonly Holding[];
  readonly rules: PlanRules;
  readonly memory: PlanMemory;
  /** Most placements of one pass. */
  readonly limit: number;
}

export interface Placement {
  readonly taskId: string;
  readonly workerId: string;
  /** As many as it needs, or none when they are not known. */
  readonly gpuIds: readonly string[];
}

/** A running or assigned task that is to leave its worker for one of higher priority. */
export interface Preemption {
  readonly taskId: string;
  readonly attempt: number;
  readonly workerId: string;
  /** The task it makes room for. */
  readonly forTask: string;
}

export type WaitReason =
  /** Every task of the group is to be placed later (back-off). */
  | 'not_yet'
  | 'no_ready_worker'
  /** No worker has the labels it must have; or one has them, but none that is ready. */
  | 'labels_missing'
  /** Workers have the labels, and none of these lets be mounted what it mounts. */
  | 'mounts_missing'
  | 'no_ready_match'
  /** It asks for more than the quota of its owner in all. */
  | 'over_quota'
  /** It fits when others of its owner have ended. */
  | 'quota_used'
  /** The worker that was asked for: not in the cluster, or in a state that takes nothing. */
  | 'worker_unknown'
  | 'worker_down'
  | 'worker_cordoned'
  | 'worker_draining'
  | 'worker_unhealthy'
  /** No ready worker could take it even when empty. */
  | 'too_large'
  /** It fits a ready worker when others have ended. */
  | 'no_room'
  /** As `no_room`, and a worker is being kept free for it. */
  | 'reserved'
  /** As `no_room`, and tasks of lower priority have been told to leave a worker for it. */
  | 'preempting';

export interface Plan {
  /** In the order of decision; no task twice. */
  readonly placements: readonly Placement[];
  readonly preemptions: readonly Preemption[];
  /** By group key: why the rest of the group waits. */
  readonly waiting: ReadonlyMap<string, WaitReason>;
  readonly memory: PlanMemory;
  /** True when another pass right away may place more. */
  readonly more: boolean;
}
