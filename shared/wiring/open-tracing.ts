// Traces where the settings name a collector; otherwise nothing of them is loaded. Only a main.ts, a test or a bench comes here.

import type { TracingConfig } from '../platform/config/tracing.ts';
import type { Log } from '../platform/log.ts';
import { NO_TRACER, type Tracer } from '../ports/tracing.ts';

export interface TracingOptions {
  readonly config: TracingConfig;
  readonly service: string;
  readonly instance: string;
  readonly log: Log;
}

export async function openTracing({ config, ...rest }: TracingOptions): Promise<Tracer> {
  const { url } = config;
  if (url === null) return NO_TRACER;
  const { openOtelTracer } = await import('../adapters/otel/open.ts');
  return openOtelTracer({ config: { ...config, url }, ...rest });
}
