// What `GET /telemetry/history` accepts.

import Joi from 'joi';
import { HISTORY_METRICS, type HistoryMetric, WORKER_METRICS } from '../model/history.ts';
import { WORKER_ID_PATTERN } from '../model/worker.ts';
import { MOMENT_FORMS, parseMoment } from './history.ts';

export interface HistoryQuery {
  metric: HistoryMetric[];
  /** One of `MOMENT_FORMS`. */
  from: string;
  to: string;
  /** Seconds. */
  step?: number;
  worker?: string;
}

const STEP_MAX_SECONDS = 7 * 86_400;

/** One of `MOMENT_FORMS`, as it was written. */
export const momentText = Joi.string()
  .custom((text: string, helpers) => (parseMoment(text, 0) === null ? helpers.error('moment.form') : text))
  .messages({ 'moment.form': `{{#label}} must be ${MOMENT_FORMS}` });

const metrics = Joi.string()
  .custom((text: string, helpers) => {
    const named = [...new Set(text.split(',').map((one) => one.trim()))];
    const isKnown = (name: string) => (HISTORY_METRICS as readonly string[]).includes(name);
    return named.every(isKnown) ? named : helpers.error('metric.unknown');
  })
  .required()
  .messages({
    'metric.unknown': `{{#label}} must be one or more, separated by commas, of ${HISTORY_METRICS.join(', ')}`,
    'string.empty': `{{#label}} must be one or more, separated by commas, of ${HISTORY_METRICS.join(', ')}`,
    'any.required': `{{#label}} is required: one or more, separated by commas, of ${HISTORY_METRICS.join(', ')}`,
  });

export const historySchema = Joi.object<HistoryQuery>({
  metric: metrics,
  from: momentText.default('-1h'),
  to: momentText.default('now'),
  step: Joi.number().integer().min(1).max(STEP_MAX_SECONDS),
  worker: Joi.string().pattern(WORKER_ID_PATTERN, 'a worker id'),
})
  .custom((query: HistoryQuery, helpers) => {
    const isOfWorkers = (metric: HistoryMetric) =>
      (WORKER_METRICS as readonly HistoryMetric[]).includes(metric);
    const others = query.metric.filter((metric) => !isOfWorkers(metric));
    if (query.worker === undefined || others.length === 0) return query;
    return helpers.error('metric.cluster', { others: others.join(', ') });
  })
  .messages({
    'metric.cluster': `of a worker there are ${WORKER_METRICS.join(', ')}, not {{#others}}`,
  });
