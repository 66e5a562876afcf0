// What the calls about tasks answer, as schemas of the document.

import Joi from 'joi';
import {
  ATTEMPT_STATES,
  EVICTION_CAUSES,
  FAILURE_REASONS,
  NETWORKS,
  PULL_POLICIES,
  RETRY_REASONS,
  TASK_STATES,
} from '../model/task.ts';
import type {
  AttemptBody,
  BatchReply,
  EvictionBody,
  TaskBody,
  TaskListReply,
  TaskStateBody,
  TaskStatesReply,
} from './http.ts';
import type { MountBody } from './mounts.ts';
import { slaReplySchema } from './queue-reply-schemas.ts';
import {
  amount,
  byName,
  count,
  fields,
  list,
  named,
  nextCursor,
  oneOf,
  reply,
  text,
  textOrNull,
  time,
  timeOrNull,
  whole,
  yes,
} from './reply.ts';
import type {
  CancelledTaskBody,
  CancelManyReply,
  TaskSummaryBody,
  TaskSummaryListReply,
} from './task-lists.ts';
import type { AttemptReportBody, AttemptUsageBody, TimelineEntryBody } from './usage.ts';
import { targetReplySchema } from './webhook-reply-schemas.ts';

const reason = oneOf(FAILURE_REASONS).allow(null);
const labelTerms = byName(Joi.alternatives(text, list(text)));

const usage = reply<AttemptUsageBody>('AttemptUsage', {
  samples: count,
  cpu_seconds: amount,
  cpu_mean: amount.description('Cores.'),
  cpu_peak: amount,
  memory_peak: amount.description('MB.'),
  network_received_bytes: amount,
  network_sent_bytes: amount,
});

const attempt = reply<AttemptBody>('Attempt', {
  attempt: whole.min(1),
  state: oneOf(ATTEMPT_STATES),
  worker_id: Joi.string(),
  not_before: timeOrNull.description('End of the pause before it; null when there was none.'),
  assigned_at: time,
  started_at: timeOrNull,
  finished_at: timeOrNull,
  reason,
  exit_code: whole.allow(null),
  message: textOrNull,
  container_id: textOrNull,
  image_id: textOrNull,
  gpu_ids: list(Joi.string()),
  eviction: fields<EvictionBody>({ requested_at: time, cause: oneOf(EVICTION_CAUSES), message: text })
    .allow(null)
    .description('It is to leave its worker, or has left it, to run again; its task pays nothing for that.'),
  usage: usage.allow(null),
  progress: fields<NonNullable<AttemptReportBody['progress']>>({ percent: amount, message: text, at: time })
    .allow(null)
    .description('The last that the program said of itself.'),
  outputs: fields<NonNullable<AttemptReportBody['outputs']>>({ files: count, bytes: count, note: textOrNull })
    .allow(null)
    .description('Files it left in `/output`.'),
  hint: textOrNull.description(
    'A better request in words, when the measured use was far off what was asked for.',
  ),
});

const timelineEntry = reply<TimelineEntryBody>('TimelineEntry', {
  state: oneOf([...new Set([...TASK_STATES, ...ATTEMPT_STATES])]),
  at: time,
  attempt: count,
  worker_id: textOrNull,
  message: textOrNull,
});

export const taskReplySchema = reply<TaskBody>('Task', {
  task_id: Joi.string(),
  status: oneOf(TASK_STATES),
  reason: reason.description('Why it failed; null unless it failed.'),
  message: textOrNull,
  exit_code: whole.allow(null),
  user: Joi.string(),
  worker_id: textOrNull.description(
    'Of the current or last attempt; `worker` is the one that was asked for.',
  ),
  attempt: count,
  failures: count.description('Of `max_retries` so many are spent.'),
  losses: count.description('Attempts that faults of workers have cost; it is given up after `max_losses`.'),
  max_losses: count,
  cancel_requested: yes,
  submitted_at: time,
  queued_at: time,
  not_before: timeOrNull,
  expires_at: timeOrNull.description('When it is given up unless it is placed before.'),
  assigned_at: timeOrNull,
  started_at: timeOrNull,
  finished_at: timeOrNull,
  docker_image: Joi.string(),
  command: Joi.alternatives(text, list(text), Joi.valid(null)),
  cpu_required: amount.description('Cores.'),
  memory_required: amount.description('MB.'),
  gpu_required: count,
  storage_required: amount.description('MB.'),
  tag: text,
  k_value: amount,
  name: text,
  env: byName(text).description('Values of those that `secrets` names are masked.'),
  priority: count,
  timeout_seconds: count,
  max_retries: count,
  retry_on: list(oneOf(RETRY_REASONS)),
  retry_on_exit_codes: list(whole),
  retry_delay_seconds: amount,
  queue_timeout_seconds: count,
  worker: text,
  constraints: labelTerms,
  prefer: labelTerms,
  files: list(Joi.string()),
  mounts: list(reply<MountBody>('Mount', { source: Joi.string(), target: Joi.string(), read_only: yes })),
  secrets: list(text),
  pull_policy: oneOf(PULL_POLICIES),
  network: oneOf(NETWORKS),
  webhook: targetReplySchema.allow(null),
  attempts: list(attempt),
  timeline: list(timelineEntry).optional().description('Only where one task is asked for.'),
  kept_until: timeOrNull
    .optional()
    .description('When it is purged; null: never, or not yet known. Only where one task is asked for.'),
  sla: slaReplySchema
    .optional()
    .description('How it does against its deadline. Only where one task is asked for.'),
});

export const batchReplySchema = reply<BatchReply>('TaskBatch', { tasks: list(taskReplySchema) });

const state = {
  task_id: Joi.string(),
  name: text,
  status: oneOf(TASK_STATES),
  reason,
  message: textOrNull,
  exit_code: whole.allow(null),
  attempt: count,
  worker_id: textOrNull,
  finished_at: timeOrNull,
};
const unknown = list(Joi.string()).description('Those of the ids that the caller has no task for.');
export const taskStatesReplySchema = reply<TaskStatesReply>('TaskStates', {
  tasks: list(reply<TaskStateBody>('TaskState', state)),
  unknown,
});
export const cancelManyReplySchema = reply<CancelManyReply>('CancelledTasks', {
  tasks: list(reply<CancelledTaskBody>('CancelledTask', { ...state, cancel_requested: yes })),
  unknown,
});

const summary = reply<TaskSummaryBody>('TaskSummary', {
  task_id: Joi.string(),
  name: text,
  tag: text,
  status: oneOf(TASK_STATES),
  reason,
  exit_code: whole.allow(null),
  user: Joi.string(),
  docker_image: Joi.string(),
  worker_id: textOrNull,
  attempt: count,
  priority: count,
  cancel_requested: yes,
  cpu_required: amount,
  memory_required: amount,
  gpu_required: count,
  submitted_at: time,
  started_at: timeOrNull,
  finished_at: timeOrNull,
  revision: count.description('Grows with every change.'),
});
/** `view` decides which of the two. */
export const taskListReplySchema = named(
  'TaskList',
  Joi.alternatives(
    reply<TaskListReply>('FullTaskList', { tasks: list(taskReplySchema), next_cursor: nextCursor }),
    reply<TaskSummaryListReply>('TaskSummaryList', { tasks: list(summary), next_cursor: nextCursor }),
  ),
);
