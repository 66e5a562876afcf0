// Settings of traces, by the names OpenTelemetry has for them. What else the exporter reads by itself (headers, time limit,
// certificates) is in its own documents.

import Joi from 'joi';
import type { Values } from './reading.ts';

const SAMPLERS = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
] as const;

export interface TracingConfig {
  /** Where spans are posted to; null: traces are off. */
  readonly url: string | null;
  /** Null: `cloudai-` and what the process is. */
  readonly serviceName: string | null;
  readonly sampler: (typeof SAMPLERS)[number];
  /** For the samplers that take one; 0 to 1. */
  readonly ratio: number;
}

const endpoint = Joi.string().uri({ scheme: ['http', 'https'] });

export const tracingSettings = {
  OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
  OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: endpoint,
  OTEL_SDK_DISABLED: Joi.boolean().default(false),
  OTEL_SERVICE_NAME: Joi.string().max(255),
  OTEL_TRACES_SAMPLER: Joi.string()
    .valid(...SAMPLERS)
    .default('parentbased_always_on'),
  OTEL_TRACES_SAMPLER_ARG: Joi.number().min(0).max(1).default(1),
};

export function tracingConfig(v: Values): TracingConfig {
  const base: string | undefined = v.OTEL_EXPORTER_OTLP_ENDPOINT;
  const url: string | null =
    v.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT ??
    (base === undefined ? null : `${base.replace(/\/+$/, '')}/v1/traces`);
  return {
    url: v.OTEL_SDK_DISABLED ? null : url,
    serviceName: v.OTEL_SERVICE_NAME ?? null,
    sampler: v.OTEL_TRACES_SAMPLER,
    ratio: v.OTEL_TRACES_SAMPLER_ARG,
  };
}
