// GET /api/tasks/{id}/usage: what an attempt used over time.

import type { Plugin, Server } from '@hapi/hapi';
import { taskUsageReplySchema } from '../../shared/contracts/file-reply-schemas.ts';
import { attemptQuerySchema, taskIdParams } from '../../shared/contracts/schemas.ts';
import { type TaskUsageReply, taskUsageReply } from '../../shared/contracts/task-usage.ts';
import { documented } from '../openapi/call-doc.ts';
import type { TaskUsage } from '../services/task-usage.ts';
import { checked, idOf, queryOf } from '../validation.ts';
import { principalOf } from './auth.ts';

export interface TaskUsageOptions {
  readonly taskUsage: TaskUsage;
}

export const taskUsagePlugin: Plugin<TaskUsageOptions> = {
  name: 'task-usage',
  register: (server: Server, { taskUsage }: TaskUsageOptions) => {
    server.route({
      method: 'GET',
      path: '/api/tasks/{id}/usage',
      options: {
        ...documented({
          id: 'getTaskUsage',
          tag: 'output',
          summary: 'Cores and memory of an attempt over time.',
          replies: { 200: taskUsageReplySchema },
          refusals: [404],
        }),
        validate: checked({ params: taskIdParams, query: attemptQuerySchema }),
      },
      handler: async (request): Promise<TaskUsageReply> => {
        const { attempt } = queryOf<{ attempt?: number }>(request);
        const id = idOf(request);
        return taskUsageReply(id, await taskUsage.get(principalOf(request), id, attempt));
      },
    });
  },
};
