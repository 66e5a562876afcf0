// Tasks by the thousand: short rows for long lists, and what is done to many at once. Like http.ts a browser may import
// this file.

import type { TaskBody, TaskStateBody } from './http.ts';

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
>;

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

export interface CancelManyReply {
  /** As they are after the wish was written; those that had ended stay as they were. In any order, each once. */
  tasks: (TaskStateBody & { cancel_requested: boolean })[];
  /** Those of the ids that the caller has no task for. */
  unknown: string[];
}
