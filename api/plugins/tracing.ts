// A span for each request, below the one its caller names, if traces are on; what is done for it goes on below. Health and
// metrics are asked for all day and make none.

import type { Plugin, Request, Server } from '@hapi/hapi';
import type { Clock } from '../../shared/ports/clock.ts';
import { NO_SPAN, type Span, type Tracer } from '../../shared/ports/tracing.ts';

declare module '@hapi/hapi' {
  interface RequestApplicationState {
    span?: Span;
  }
}

export interface TracingOptions {
  readonly tracer: Tracer;
  readonly clock: Clock;
}

const QUIET = new Set(['/healthz', '/readyz', '/metrics']);

export const tracingPlugin: Plugin<TracingOptions> = {
  name: 'tracing',
  register: (server: Server, { tracer, clock }: TracingOptions) => {
    if (!tracer.isOn) return;
    server.ext('onRequest', (request, h) => {
      const { method, path, headers, app } = request;
      if (QUIET.has(path)) return h.continue;
      app.span = tracer.start(method.toUpperCase(), {
        parent: typeof headers.traceparent === 'string' ? headers.traceparent : null,
        kind: 'server',
        at: clock.now(),
        attributes: { 'http.request.method': method.toUpperCase(), 'url.path': path },
      });
      return h.continue;
    });

    server.events.on('response', ({ response, route, method, app }) => {
      const { span } = app;
      if (!span) return;
      const status = response && !(response instanceof Error) ? response.statusCode : 499;
      span.rename(`${method.toUpperCase()} ${route.path}`);
      span.set({
        'http.route': route.path,
        'http.response.status_code': status,
        'cloudai.request_id': app.requestId,
      });
      if (status >= 500) span.fail(`answered ${status}`);
      span.end(clock.now());
    });
  },
};

function spanOf(request: Request): Span {
  return request.app.span ?? NO_SPAN;
}

/** To be spread into the spec of a task that this request submits. */
export function traceOf(request: Request): { readonly traceparent?: string } {
  const { traceparent } = spanOf(request);
  return traceparent === null ? {} : { traceparent };
}
