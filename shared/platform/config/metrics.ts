// Settings of the door for metrics that a scheduler and a runner have; the API tells its own at its own address.

import Joi from 'joi';

export interface MetricsDoorConfig {
  readonly host: string;
  /** Null: there is no door. */
  readonly port: number | null;
}

export const METRICS_HOST = Joi.string().hostname().default('127.0.0.1');
/** Each process has a name of its own for it: on one machine all may be told the same settings. */
export const METRICS_PORT = Joi.number().port().default(0);

export function metricsDoorConfig(host: string, port: number): MetricsDoorConfig {
  return { host, port: port === 0 ? null : port };
}
