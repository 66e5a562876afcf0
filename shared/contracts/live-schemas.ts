// What the API accepts over Socket.io, as Joi schemas. Every fault of a request is named.

import Joi from 'joi';
import {
  type SubscribeRequest,
  TASKS_ROOM,
  TELEMETRY_ROOM,
  taskRoom,
  type UnsubscribeRequest,
} from './live.ts';
import { taskIdSchema } from './schemas.ts';

const TASK_ROOM_START = taskRoom('');

const room = Joi.string()
  .required()
  .custom((name: string, helpers) => {
    const isTask =
      name.startsWith(TASK_ROOM_START) && !taskIdSchema.validate(name.slice(TASK_ROOM_START.length)).error;
    return isTask || name === TASKS_ROOM || name === TELEMETRY_ROOM ? name : helpers.error('room.unknown');
  })
  .messages({ 'room.unknown': '{{#label}} must be "telemetry", "tasks" or "task:" with the id of a task' });

const attempt = Joi.number().integer().min(1);

const logs = Joi.object({
  from: Joi.number().integer().min(1),
  tail: Joi.number().integer().min(0).max(1_000_000),
  attempt,
  after: Joi.object({ attempt: attempt.required(), seq: Joi.number().integer().min(0).required() }),
})
  .oxor('from', 'tail', 'after')
  .oxor('attempt', 'after')
  .messages({
    'object.oxor': '"from", "tail" and "after" exclude each other, and "after" excludes "attempt"',
  });

export const subscribeSchema = Joi.object<SubscribeRequest>({ room, logs })
  .required()
  .custom((request: SubscribeRequest, helpers) =>
    request.logs !== undefined && !request.room.startsWith(TASK_ROOM_START)
      ? helpers.error('logs.elsewhere')
      : request,
  )
  .messages({
    'logs.elsewhere': '"logs" goes with the room of a task only',
    'object.base': '{{#label}} must be an object',
  })
  .label('the request');

export const unsubscribeSchema = Joi.object<UnsubscribeRequest>({ room }).required().label('the request');
