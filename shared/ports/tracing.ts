// Spans of distributed traces, for whoever watches how long what took. Best effort and never waited for: a span may be
// lost, and nothing may depend on one. Times are milliseconds since the epoch by the cluster's clock.

export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

export interface SpanStart {
  /** W3C `traceparent` of the span above; absent, or none of that form: a trace of its own. */
  readonly parent?: string | null | undefined;
  readonly kind?: 'internal' | 'server' | 'producer' | 'consumer';
  readonly at: number;
  readonly attributes?: SpanAttributes;
}

export interface Span {
  /** W3C `traceparent` by which others go on below it; null when nobody traces. */
  readonly traceparent: string | null;
  rename(name: string): void;
  set(attributes: SpanAttributes): void;
  /** It went wrong. The message must hold no secret. */
  fail(message: string): void;
  /** Once. */
  end(at: number): void;
}

export interface Tracer {
  /** False: all spans are `NO_SPAN`, and what is only needed for them need not be worked out. */
  readonly isOn: boolean;
  start(name: string, how: SpanStart): Span;
  /** Sends what has ended, within seconds. Never rejects. */
  close(): Promise<void>;
}

export const NO_SPAN: Span = {
  traceparent: null,
  rename: () => undefined,
  set: () => undefined,
  fail: () => undefined,
  end: () => undefined,
};

export const NO_TRACER: Tracer = {
  isOn: false,
  start: () => NO_SPAN,
  close: () => Promise.resolve(),
};
