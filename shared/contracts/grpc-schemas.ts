// What the gRPC API accepts besides the bodies it shares with REST, as Joi schemas.

import Joi from 'joi';
import type { WatchTaskMessage } from './grpc.ts';
import { taskIdSchema } from './schemas.ts';

export const taskIdMessageSchema = Joi.object<{ task_id: string }>({ task_id: taskIdSchema });

export const cancelTaskMessageSchema = Joi.object<{ task_id: string; force: boolean }>({
  task_id: taskIdSchema,
  force: Joi.boolean().default(false),
});

export const watchTaskMessageSchema = Joi.object<WatchTaskMessage>({
  task_id: taskIdSchema,
  attempt: Joi.number().integer().min(1),
  from_seq: Joi.number().integer().min(1),
  from_state: Joi.number().integer().min(1),
});
