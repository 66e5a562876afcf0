// Tasks by the thousand: short rows for long lists, and what is done to many at once. Like http.ts a browser may import
// this file.

import type { Task } from '../model/task.ts';
import type { TaskSummary } from '../model/task-summary.ts';
import { type TaskBody, type TaskStateBody, taskStateBody } from './http.ts';

/** A row of a long list: `GET /api/tasks?view=summary`. */
export type TaskSummaryBody = Pick<
  TaskBody,
  | 'task_id'
  | 'name'
  | 'tag'
  | 'status'
  | 'reason'
  | 'exit_code'
  | 'user'
  | 'docker_image'
  | 'worker_id'
  | 'attempt'
  | 'priority'
  | 'cancel_requested'
  | 'cpu_required'
  | 'memory_required'
  | 'gpu_required'
  | 'submitted_at'
  | 'started_at'
  | 'finished_at'
> & {
  /** Grows with every change, as in the events of the room `tasks`: whichever is greater is newer. */
  revision: number;
};

export interface TaskSummaryListReply {
  tasks: TaskSummaryBody[];
  /** Pass as `cursor` for the next page; null at the end. */
  next_cursor: string | null;
}

/** `POST /api/tasks/cancel`: up to 1,000 ids. */
export interface CancelManyBody {
  task_ids: string[];
  force: boolean;
}

export type CancelledTaskBody = TaskStateBody & { cancel_requested: boolean };

export interface CancelManyReply {
  /**
   * As they are after the wish was written; those that had ended stay as they were. In any order, each once. One that
   * neither ended nor has the wish changes too fast: ask again.
   */
  tasks: CancelledTaskBody[];
  /** Those of the ids that the caller has no task for. */
  unknown: string[];
}

export function taskSummaryBody(task: TaskSummary): TaskSummaryBody {
  const { resources } = task;
  return {
    task_id: task.id,
    name: task.name,
    tag: task.tag,
    status: task.state,
    reason: task.reason,
    exit_code: task.exitCode,
    user: task.ownerName,
    docker_image: task.image,
    worker_id: task.workerId,
    attempt: task.attempt,
    priority: task.priority,
    cancel_requested: task.cancelRequested,
    cpu_required: resources.cpuMillis / 1000,
    memory_required: resources.memoryMb,
    gpu_required: resources.gpus,
    submitted_at: new Date(task.submittedAt).toISOString(),
    started_at: isoOrNull(task.startedAt),
    finished_at: isoOrNull(task.finishedAt),
    revision: task.revision,
  };
}

export function cancelledTaskBody(task: Task): CancelledTaskBody {
  return { ...taskStateBody(task), cancel_requested: task.cancel !== null };
}

function isoOrNull(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
