// What `POST /api/whatif` accepts.

import Joi from 'joi';
import { LABEL_NAME_PATTERN, LABEL_VALUE_PATTERN } from '../model/labels.ts';
import { WORKER_ID_PATTERN } from '../model/worker.ts';
import type { SubmitBody } from './http.ts';
import { mountRulesSchema } from './mount-schemas.ts';
import { LIMITS, submitSchema, taskIdSchema } from './schemas.ts';
import type { AddedWorkerBody, KnownTaskBody, WhatIfBody } from './what-if.ts';

/** Tasks of all entries, and workers of all entries. */
const WHAT_IF_MOST = 10_000;

const LABELS_MOST = 64;

const count = Joi.number().integer().min(1).max(WHAT_IF_MOST).default(1);

const addedWorker = Joi.object<AddedWorkerBody>({
  cpu: Joi.number().min(0.01).max(LIMITS.cpuCores).precision(3).required(),
  memory: Joi.number().min(6).max(LIMITS.memoryMb).required(),
  gpu: Joi.number().integer().min(0).max(LIMITS.gpus).default(0),
  storage: Joi.number().min(0).max(LIMITS.storageMb).default(0),
  labels: Joi.object()
    .pattern(LABEL_NAME_PATTERN, Joi.string().allow('').pattern(LABEL_VALUE_PATTERN, 'values of labels'))
    .max(LABELS_MOST)
    .default({}),
  mounts: mountRulesSchema.default([]),
  count,
});

const workerIds = Joi.array()
  .items(Joi.string().pattern(WORKER_ID_PATTERN, 'a worker id'))
  .unique()
  .max(WHAT_IF_MOST)
  .default([]);

/** Entries are bounded, and so is what their counts come to. */
function counted(items: Joi.Schema): Joi.ArraySchema {
  return Joi.array()
    .items(items)
    .max(LIMITS.batch)
    .custom((entries: { count: number }[], helpers) =>
      entries.reduce((sum, entry) => sum + entry.count, 0) > WHAT_IF_MOST
        ? helpers.error('counts.many', { limit: WHAT_IF_MOST })
        : entries,
    )
    .messages({ 'counts.many': '{{#label}} must be at most {{#limit}} in all, counts included' });
}

const countedTask = (submitSchema as Joi.ObjectSchema<SubmitBody & { count: number }>)
  .keys({ count })
  .meta({ name: 'CountedTask' });
const knownTask = Joi.object<KnownTaskBody>({ task_id: taskIdSchema.required(), count });
/** Which of the two is meant tells the field alone, so that the faults are those of one of them. */
const askedTask = Joi.alternatives().conditional(Joi.object({ task_id: Joi.exist() }).unknown(), {
  // biome-ignore lint/suspicious/noThenProperty: it is Joi's word, and nothing awaits this.
  then: knownTask,
  otherwise: countedTask,
});

export const whatIfSchema = Joi.object<WhatIfBody>({
  // Not `required` for the items: for Joi that would mean one of them, a second fault of an empty list.
  tasks: counted(askedTask.optional()).min(1).required(),
  add_workers: counted(addedWorker).default([]),
  without: workerIds,
  cordon: workerIds,
}).required();
