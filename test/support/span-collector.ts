// A collector of traces, as OpenTelemetry's exporter finds it over OTLP/HTTP: a real server that keeps what it is sent.

import { openOtelTracer } from '../../shared/adapters/otel/open.ts';
import { silentLog } from '../../shared/platform/log.ts';
import type { Tracer } from '../../shared/ports/tracing.ts';
import { startReceiver } from './receiver.ts';

export interface SeenSpan {
  readonly service: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly beganAt: number;
  readonly endedAt: number;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly isError: boolean;
}

export interface SpanCollector {
  /** Of a process of the name `cloudai-<service>`; to be closed before the collector is. */
  tracer(service: string): Tracer;
  /** What has come of one trace. */
  spansOf(traceId: string): SeenSpan[];
  close(): Promise<void>;
}

const SEND_EVERY_MS = 100;

export async function startSpanCollector(): Promise<SpanCollector> {
  const receiver = await startReceiver();
  receiver.react((reply) => reply.writeHead(200, { 'content-type': 'application/json' }).end('{}'));
  return {
    tracer: (service) =>
      openOtelTracer({
        config: {
          url: `http://127.0.0.1:${receiver.port}/v1/traces`,
          serviceName: null,
          sampler: 'parentbased_always_on',
          ratio: 1,
        },
        service,
        instance: 'test',
        log: silentLog(),
        everyMs: SEND_EVERY_MS,
      }),
    spansOf: (traceId) =>
      receiver.got
        .flatMap(({ text }) => seenIn(JSON.parse(text) as Exported))
        .filter((span) => span.traceId === traceId),
    close: () => receiver.close(),
  };
}

type Values = readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];

/** As OTLP has it in JSON, as far as it matters here. */
interface Exported {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: Values };
    readonly scopeSpans: readonly {
      readonly spans: readonly {
        readonly traceId: string;
        readonly spanId: string;
        readonly parentSpanId?: string;
        readonly name: string;
        readonly startTimeUnixNano: string;
        readonly endTimeUnixNano: string;
        readonly attributes: Values;
        readonly status?: { readonly code?: number };
      }[];
    }[];
  }[];
}

function seenIn({ resourceSpans }: Exported): SeenSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans
      .flatMap(({ spans }) => spans)
      .map((span) => ({
        service: String(valuesOf(resource.attributes)['service.name']),
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId ?? '',
        name: span.name,
        beganAt: Number(BigInt(span.startTimeUnixNano) / 1_000_000n),
        endedAt: Number(BigInt(span.endTimeUnixNano) / 1_000_000n),
        attributes: valuesOf(span.attributes),
        isError: span.status?.code === 2,
      })),
  );
}

/** Numbers come as numbers or as text. */
function valuesOf(attributes: Values): Record<string, string> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, String(Object.values(value)[0])]));
}
