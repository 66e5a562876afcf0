// What parts of the cluster tell each other when a record changed. Events wake and inform; they may be lost
// and are never the truth: a reader goes to the store.

import type { Task, TaskState } from './task.ts';

export interface TaskChanged {
  readonly type: 'task';
  readonly taskId: string;
  readonly ownerId: string;
  readonly state: TaskState;
  readonly attempt: number;
  readonly revision: number;
  readonly workerId: string | null;
  /** When, by the clock of whoever changed it; milliseconds since the epoch. */
  readonly at: number;
  /** The task names a webhook of its own. */
  readonly hasWebhook: boolean;
}

export interface WorkerChanged {
  readonly type: 'worker';
  readonly workerId: string;
}

/** What an account may use has changed. */
export interface QuotaChanged {
  readonly type: 'quota';
  readonly userId: string;
}

/** The whole record was replaced by a copy: what anybody knows of it may be wrong. */
export interface RecordRestored {
  readonly type: 'restored';
}

export type ClusterEvent = TaskChanged | WorkerChanged | QuotaChanged | RecordRestored;

/** Sent to one worker. The durable wish stands in the task record; this only saves waiting. */
export interface CancelNudge {
  readonly type: 'cancel';
  readonly taskId: string;
}

/** The attempt is to leave its worker; the wish stands in its record. */
export interface EvictNudge {
  readonly type: 'evict';
  readonly taskId: string;
}

/** The worker's own record is gone. Its runner looks there by itself as well; this only saves waiting. */
export interface RemovedNudge {
  readonly type: 'removed';
}

export type WorkerNudge = CancelNudge | EvictNudge | RemovedNudge;

export function taskChanged(task: Task): TaskChanged {
  return {
    type: 'task',
    taskId: task.id,
    ownerId: task.ownerId,
    state: task.state,
    attempt: task.attempt,
    revision: task.revision,
    workerId: task.workerId,
    at: lastChangeAt(task),
    hasWebhook: task.spec.webhook != null,
  };
}

/** The newest time of the record that belongs to its state. */
function lastChangeAt(task: Task): number {
  switch (task.state) {
    case 'queued':
      return task.queuedAt;
    case 'assigned':
      return task.assignedAt ?? task.queuedAt;
    case 'running':
      return task.startedAt ?? task.queuedAt;
    default:
      return task.finishedAt ?? task.queuedAt;
  }
}
