// Rows of a long list and what is pushed about them, for tests: different only where a test says so.

import type { TaskEvent } from '../../shared/contracts/live.ts';
import type { TaskSummaryBody } from '../../shared/contracts/task-lists.ts';

export const idOf = (number: number): string => `task-${String(number).padStart(26, '0')}`;

export function summary(number: number, over: Partial<TaskSummaryBody> = {}): TaskSummaryBody {
  return {
    task_id: idOf(number),
    name: '',
    tag: '',
    status: 'queued',
    reason: null,
    exit_code: null,
    user: 'alice',
    docker_image: 'busybox',
    worker_id: null,
    attempt: 1,
    priority: 5,
    cancel_requested: false,
    cpu_required: 1,
    memory_required: 64,
    gpu_required: 0,
    submitted_at: '2026-01-01T00:00:00.000Z',
    started_at: null,
    finished_at: null,
    revision: 1,
    ...over,
  };
}

export function eventOf(number: number, over: Partial<TaskEvent>): TaskEvent {
  return {
    task_id: idOf(number),
    status: 'queued',
    attempt: 1,
    revision: 1,
    worker_id: null,
    at: '2026-01-01T00:00:01.000Z',
    ...over,
  };
}
