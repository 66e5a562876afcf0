// Which failures a task may ask to be tried again after, as Joi schemas that say why others cannot be named.

import Joi from 'joi';
import { PLATFORM_REASONS } from '../model/retry.ts';
import { RETRY_REASONS, type RetryReason } from '../model/task.ts';

/** What ends a task of which nothing has run. */
const QUEUE_REASON = 'queue_timed_out';

const retryReason = Joi.string().custom((name: string, helpers) => {
  if ((RETRY_REASONS as readonly string[]).includes(name)) return name;
  if ((PLATFORM_REASONS as readonly string[]).includes(name)) return helpers.error('reason.platform');
  if (name === QUEUE_REASON) return helpers.error('reason.queue');
  return helpers.error('reason.unknown');
});

export const retryOnSchema = Joi.array<RetryReason[]>()
  .items(retryReason)
  .unique()
  .min(1)
  .max(RETRY_REASONS.length)
  .messages({
    'reason.platform':
      '{{#label}} cannot name {{#value}}: faults of workers are tried again anyway and cost no retry',
    'reason.queue':
      '{{#label}} cannot name {{#value}}: a task that has waited for too long is not tried again',
    'reason.unknown': `{{#label}} must be one of ${RETRY_REASONS.join(', ')}`,
    'array.min':
      '{{#label}} must name at least one reason; without retries leave it out, or set "max_retries" to 0',
  });

export const exitCodesSchema = Joi.array<number[]>()
  .items(Joi.number().integer().min(1).max(255))
  .unique()
  .max(255);
