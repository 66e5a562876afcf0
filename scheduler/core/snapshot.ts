// What the decisions of the scheduler look at and what they say. Types only: nothing here may act.

import type { Resources } from '../../shared/model/resources.ts';
import type { JoinedWorkerState } from '../../shared/model/worker.ts';

/** A worker as the plan sees it. */
export interface WorkerView {
  readonly id: string;
  readonly state: JoinedWorkerState;
  /** What it has when nothing runs there. */
  readonly capacity: Resources;
  /** Capacity minus what assigned and running tasks hold, never below zero. */
  readonly free: Resources;
}

/** What a placed task holds of its worker (the shape of the store's `Allocation`). */
export interface Holding {
  readonly taskId: string;
  readonly workerId: string;
  readonly attempt: number;
  readonly state: 'assigned' | 'running';
  readonly resources: Resources;
  readonly assignedAt: number;
}

/** What the index needs of a waiting task (part of the store's `QueuedTask`). */
export interface WaitingTask {
  readonly id: string;
  readonly revision: number;
  readonly priority: number;
  readonly resources: Resources;
  /** Direct assignment: the only worker that may run it, or null. */
  readonly worker: string | null;
  /** Milliseconds since the epoch; 0 means at once. */
  readonly notBefore: number;
  readonly queuedAt: number;
}

/** One entry of a group's queue. */
export interface GroupEntry {
  readonly id: string;
  readonly queuedAt: number;
  readonly notBefore: number;
}

/** Tasks that are interchangeable for the plan: same need, same direct assignment, same priority. */
export interface Group {
  readonly key: string;
  readonly priority: number;
  readonly need: Resources;
  readonly worker: string | null;
  /** Oldest id first. Only as much is sorted as is taken. */
  inOrder(): Iterator<GroupEntry>;
}

/** A worker kept free for the head of a group that has waited too long. */
export interface Reservation {
  readonly workerId: string;
  readonly groupKey: string;
  readonly taskId: string;
  /** When it was made. */
  readonly since: number;
}

/** What one pass hands to the next. */
export interface PlanMemory {
  /** The worker that was given a task last; the rotation goes on behind it. */
  readonly lastWorker: string | null;
  readonly reservations: readonly Reservation[];
}

export const NO_MEMORY: PlanMemory = { lastWorker: null, reservations: [] };

export interface Snapshot {
  /** In order of id. */
  readonly workers: readonly WorkerView[];
  readonly groups: Iterable<Group>;
  readonly memory: PlanMemory;
  /** Most placements of one pass. */
  readonly limit: number;
}

export interface Placement {
  readonly taskId: string;
  readonly workerId: string;
}

export type WaitReason =
  /** Every task of the group is to be placed later (back-off). */
  | 'not_yet'
  | 'no_ready_worker'
  /** The worker that was asked for: not in the cluster, or in a state that takes nothing. */
  | 'worker_unknown'
  | 'worker_down'
  | 'worker_cordoned'
  | 'worker_draining'
  /** No ready worker could take it even when empty. */
  | 'too_large'
  /** It fits a ready worker when others have ended. */
  | 'no_room'
  /** As `no_room`, and a worker is being kept free for it. */
  | 'reserved';

export interface Plan {
  /** In the order of decision; no task twice. */
  readonly placements: readonly Placement[];
  /** By group key: why the rest of the group waits. */
  readonly waiting: ReadonlyMap<string, WaitReason>;
  readonly memory: PlanMemory;
  /** True when another pass right away may place more. */
  readonly more: boolean;
}
