// What the calls about waiting answer (the queue, deadlines, why a task waits), as schemas of the document.

import Joi from 'joi';
import { TASK_STATES } from '../model/task.ts';
import type { UnmetMountBody } from './mounts.ts';
import {
  type ForecastScoreBody,
  QUEUE_REASONS,
  type QueueEntryBody,
  type QueueReply,
  type SlaAttainmentBody,
  type SlaBody,
  type StartEstimateBody,
} from './queue.ts';
import {
  amount,
  count,
  fields,
  list,
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
import { workerState } from './worker-reply-schemas.ts';
import type {
  ExplainReply,
  QuotaShareBody,
  ShortfallBody,
  UnmetLabelBody,
  WorkerVerdictBody,
} from './workers.ts';

const DIMENSIONS = ['cpu', 'memory', 'gpu', 'storage'] as const satisfies ShortfallBody['dimension'][];
const EXCLUSIONS = [
  'down',
  'cordoned',
  'draining',
  'unhealthy',
  'other_worker_requested',
  'labels',
  'mounts',
  'reserved',
] as const satisfies WorkerVerdictBody['excluded_by'][];
const SLA_STATES = ['safe', 'at_risk', 'met', 'missed'] as const satisfies SlaBody['state'][];

const estimate = reply<StartEstimateBody>('StartEstimate', { at: time, earliest: time, latest: time });

export const forecastScoreReplySchema = reply<ForecastScoreBody>('ForecastScore', {
  window_seconds: amount,
  scored: count,
  within_band: count,
  median_error_seconds: amount.allow(null),
  median_late_seconds: amount.allow(null),
});

export const slaReplySchema = reply<SlaBody>('Sla', {
  expected_seconds: amount,
  learned_from: count.description('Finished tasks; 0: the default.'),
  deadline: time,
  state: oneOf(SLA_STATES),
});

export const attainmentReplySchema = reply<SlaAttainmentBody>('SlaAttainment', {
  window_seconds: amount,
  met: count,
  missed: count,
  attainment: amount.min(0).max(1).allow(null),
});

const reason = oneOf(QUEUE_REASONS);
export const queueReplySchema = reply<QueueReply>('Queue', {
  total: count.description('All that wait in the cluster, of whomever.'),
  entries: list(
    reply<QueueEntryBody>('QueueEntry', {
      position: whole.min(1),
      task_id: Joi.string(),
      name: text,
      user: Joi.string(),
      tag: text,
      docker_image: Joi.string(),
      priority: count,
      cpu_required: amount,
      memory_required: amount,
      gpu_required: count,
      storage_required: amount,
      worker: text,
      attempt: count,
      submitted_at: time,
      queued_at: time,
      not_before: timeOrNull,
      expires_at: timeOrNull,
      reason: reason.description('Why it has not started.'),
      summary: text.description('The same in a sentence or two for a person.'),
      estimate: estimate.allow(null),
    }),
  ),
  forecasts: forecastScoreReplySchema,
  next_cursor: nextCursor,
});

const shortfall = reply<ShortfallBody>('Shortfall', {
  dimension: oneOf(DIMENSIONS),
  unit: Joi.string(),
  required: amount,
  available: amount,
  missing: amount,
});

export const explainReplySchema = reply<ExplainReply>('Explanation', {
  task_id: Joi.string(),
  status: oneOf(TASK_STATES),
  summary: text.description('One or more sentences for a person.'),
  reason: reason.allow(null),
  position: whole.min(1).allow(null).description('1 is next; null when it does not wait.'),
  feasible: yes.allow(null).description('False when no worker could run it even when empty.'),
  fits_now: yes.allow(null),
  estimate: estimate.allow(null),
  quota: list(
    reply<QuotaShareBody>('QuotaShare', {
      dimension: oneOf(DIMENSIONS),
      unit: Joi.string(),
      limit: amount,
      held: amount,
      required: amount,
      missing: amount,
    }),
  ),
  expires_at: timeOrNull,
  reserved_worker: textOrNull,
  workers: list(
    reply<WorkerVerdictBody>('WorkerVerdict', {
      worker_id: Joi.string(),
      state: workerState,
      fits_now: yes,
      fits_when_empty: yes,
      excluded_by: oneOf(EXCLUSIONS).allow(null),
      message: textOrNull,
      missing: list(shortfall),
      unmet_labels: list(fields<UnmetLabelBody>({ name: Joi.string(), needs: list(text), has: textOrNull })),
      unmet_mounts: list(
        fields<UnmetMountBody>({ source: Joi.string(), read_only: yes, only_read_only: yes }),
      ),
    }),
  ),
});
