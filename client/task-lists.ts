// Tasks by the thousand and what waits, over the REST API.

import type { ImageListReply } from '../shared/contracts/images.ts';
import type { QueueReply } from '../shared/contracts/queue.ts';
import type { CancelManyReply, TaskSummaryListReply } from '../shared/contracts/task-lists.ts';
import type { TaskUsageReply } from '../shared/contracts/task-usage.ts';
import type { TaskFilter } from './client.ts';
import type { Transport } from './transport.ts';

interface Given {
  readonly signal?: AbortSignal | undefined;
}

export interface TaskListCalls {
  /** Like `listTasks`, with short rows. */
  listTaskSummaries(filter?: TaskFilter, options?: Given): Promise<TaskSummaryListReply>;
  /** Up to 1,000. */
  cancelTasks(
    taskIds: readonly string[],
    options?: Given & { readonly force?: boolean | undefined },
  ): Promise<CancelManyReply>;
  /** What waits, next first. `limit` 1 to 500, the API's default is 100. */
  queue(
    page?: { readonly limit?: number | undefined; readonly cursor?: string | undefined },
    options?: Given,
  ): Promise<QueueReply>;
  /** What workers have on disk. */
  images(options?: Given): Promise<ImageListReply>;
  taskUsage(
    taskId: string,
    options?: Given & { readonly attempt?: number | undefined },
  ): Promise<TaskUsageReply>;
}

export function taskListCalls(transport: Transport): TaskListCalls {
  return {
    listTaskSummaries: ({ status, ...filter } = {}, { signal } = {}) =>
      transport.json({
        method: 'GET',
        path: '/api/tasks',
        query: { ...filter, status: status?.join(','), view: 'summary' },
        signal,
      }),
    cancelTasks: (ids, { force = false, signal } = {}) =>
      transport.json({ method: 'POST', path: '/api/tasks/cancel', body: { task_ids: ids, force }, signal }),
    queue: (page = {}, { signal } = {}) =>
      transport.json({ method: 'GET', path: '/api/queue', query: { ...page }, signal }),
    images: ({ signal } = {}) => transport.json({ method: 'GET', path: '/api/images', signal }),
    taskUsage: (id, { attempt, signal } = {}) =>
      transport.json({
        method: 'GET',
        path: `/api/tasks/${encodeURIComponent(id)}/usage`,
        query: { attempt },
        signal,
      }),
  };
}
