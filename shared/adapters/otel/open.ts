// Spans sent to a collector over OTLP/HTTP. Loaded only where traces are on. Sends in batches beside the work, keeps a bounded
// number of spans while the collector is away and drops what is more; never throws into the work.

import { context, diag, type Span as OtelSpan, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { messageOf } from '../../errors.ts';
import { isTraceparent } from '../../model/trace.ts';
import type { TracingConfig } from '../../platform/config/tracing.ts';
import type { Log } from '../../platform/log.ts';
import { readVersion } from '../../platform/version.ts';
import type { Span, SpanStart, Tracer } from '../../ports/tracing.ts';

export interface OtelOptions {
  readonly config: TracingConfig & { readonly url: string };
  /** `api`, `scheduler` or `runner`. */
  readonly service: string;
  /** Tells apart processes of the same kind. */
  readonly instance: string;
  readonly log: Log;
  /** Between two sendings. */
  readonly everyMs?: number;
}

const EVERY_MS = 2_000;
const CLOSE_MS = 3_000;
/** `ExportResultCode.SUCCESS` of a package that is not ours to import. */
const EXPORTED = 0;
/** Faults of sending are told no more often. */
const TOLD_EVERY_MS = 60_000;

const KINDS = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const;

export function openOtelTracer({ config, service, instance, log, everyMs }: OtelOptions): Tracer {
  // The libraries speak through this one alone; without a logger they are silent.
  diag.disable();
  const exporter = toldOnce(new OTLPTraceExporter({ url: config.url }), log);
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      'service.name': config.serviceName ?? `cloudai-${service}`,
      'service.version': readVersion(),
      'service.instance.id': instance,
      'service.namespace': 'cloudai',
    }),
    sampler: samplerOf(config),
    spanProcessors: [new BatchSpanProcessor({ exporter, scheduledDelayMillis: everyMs ?? EVERY_MS })],
  });
  const tracer = provider.getTracer('cloudai', readVersion());
  log.info({ url: config.url }, 'traces are sent');
  return {
    isOn: true,
    start: (name, { parent, kind = 'internal', at, attributes = {} }: SpanStart) => {
      const above = isTraceparent(parent)
        ? trace.setSpanContext(context.active(), contextOf(parent))
        : context.active();
      return new SentSpan(
        tracer.startSpan(name, { kind: KINDS[kind], startTime: at, attributes: { ...attributes } }, above),
      );
    },
    close: async () => {
      const late = new Promise<void>((done) => setTimeout(done, CLOSE_MS).unref());
      await Promise.race([provider.shutdown().catch(() => undefined), late]);
    },
  };
}

class SentSpan implements Span {
  readonly traceparent: string;
  readonly #span: OtelSpan;

  constructor(span: OtelSpan) {
    this.#span = span;
    const { traceId, spanId, traceFlags } = span.spanContext();
    this.traceparent = `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
  }

  rename(name: string): void {
    this.#span.updateName(name);
  }

  set(attributes: Parameters<Span['set']>[0]): void {
    this.#span.setAttributes({ ...attributes });
  }

  fail(message: string): void {
    this.#span.setStatus({ code: SpanStatusCode.ERROR, message });
  }

  end(at: number): void {
    this.#span.end(at);
  }
}

function contextOf(traceparent: string) {
  const [, traceId = '', spanId = '', flags = '00'] = traceparent.split('-');
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true };
}

function samplerOf({ sampler, ratio }: TracingConfig): Sampler {
  const root = sampler.endsWith('always_off')
    ? new AlwaysOffSampler()
    : sampler.endsWith('traceidratio')
      ? new TraceIdRatioBasedSampler(ratio)
      : new AlwaysOnSampler();
  return sampler.startsWith('parentbased_') ? new ParentBasedSampler({ root }) : root;
}

/** A collector that is away is no news each second. */
function toldOnce(exporter: OTLPTraceExporter, log: Log): SpanExporter {
  let toldAt = Number.NEGATIVE_INFINITY;
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        const now = performance.now();
        if (result.code !== EXPORTED && now - toldAt >= TOLD_EVERY_MS) {
          toldAt = now;
          log.warn({ spans: spans.length, fault: messageOf(result.error) }, 'spans could not be sent');
        }
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
    forceFlush: () => exporter.forceFlush(),
  };
}
