// What every request gets, whatever it asks for: an id, the address of its client, one line in the log, one shape of errors,
// safe headers. No other file asks a request for its address.

import type { Plugin, Request, Server } from '@hapi/hapi';
import { traceIdOf } from '../../shared/model/trace.ts';
import type { Log } from '../../shared/platform/log.ts';
import { errorReply } from '../errors.ts';
import { givenId, RequestIds } from '../http/request-ids.ts';
import type { TrustedProxies } from '../http/trusted-proxies.ts';

declare module '@hapi/hapi' {
  interface RequestApplicationState {
    requestId: string;
    /** Of the client: not of a trusted proxy, but of whom that speaks for. */
    address: string;
    /** Whether a trusted proxy was asked over TLS. */
    isHttpsInFront: boolean;
  }
}

type Forwarded = Partial<Record<'x-forwarded-for' | 'x-forwarded-proto', string>>;

export interface RequestsOptions {
  readonly log: Log;
  readonly proxies: TrustedProxies;
  /** What a browser is told that asked over TLS. */
  readonly hsts: string;
}

/** Nothing but data comes from the API itself; the dashboard's pages bring their own policy. */
const DATA_ONLY = "default-src 'none'; frame-ancestors 'none'";

/** Neither the dashboard nor anything else here uses what a browser can do with the machine it is on, or other windows. */
const ALWAYS: Readonly<Record<string, string>> = {
  'permissions-policy':
    'accelerometer=(), autoplay=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), microphone=(), midi=(), payment=(), usb=()',
  'cross-origin-opener-policy': 'same-origin',
};

export const requestsPlugin: Plugin<RequestsOptions> = {
  name: 'requests',
  register: (server: Server, { log, proxies, hsts }: RequestsOptions) => {
    const ids = new RequestIds('req');
    server.ext('onRequest', (request, h) => {
      const { app, headers, info } = request;
      // Node joins several of these by commas.
      const { 'x-forwarded-for': forwarded, 'x-forwarded-proto': proto } = headers as Forwarded;
      app.requestId = givenId(headers['x-request-id']) ?? ids.next();
      app.address = proxies.addressOf(info.remoteAddress, forwarded);
      app.isHttpsInFront = proxies.saysHttps(info.remoteAddress, proto);
      return h.continue;
    });

    server.ext('onPreResponse', (request, h) => {
      const { response } = request;
      const { requestId } = request.app;
      // On what goes out, whichever answer another extension makes of this one.
      for (const [name, value] of Object.entries(ALWAYS)) request.raw.res.setHeader(name, value);
      // TLS of its own hapi knows of.
      if (request.app.isHttpsInFront) request.raw.res.setHeader('strict-transport-security', hsts);
      if (!(response instanceof Error)) {
        response.header('x-request-id', requestId);
        response.header('content-security-policy', DATA_ONLY, { override: false });
        return h.continue;
      }
      const { body, headers, severity } = errorReply(response);
      if (severity) {
        const { method, path } = request;
        log[severity]({ err: response, requestId, method, path }, 'request failed');
      }
      const reply = h.response(body).code(body.statusCode).header('x-request-id', requestId);
      reply.header('content-security-policy', DATA_ONLY);
      for (const [name, value] of Object.entries(headers)) reply.header(name, value);
      return reply;
    });

    server.events.on('response', (request) => logLine(log, request));
  },
};

/** The task or worker that was asked for, or the task that was made. */
function about({ route, params, response, app }: Request): Record<string, unknown> {
  const { id } = params;
  const traceparent = app.span?.traceparent;
  const traced = traceparent ? { traceId: traceIdOf(traceparent) } : {};
  if (typeof id === 'string' && route.path.startsWith('/api/tasks/')) return { ...traced, taskId: id };
  if (typeof id === 'string' && /^\/(api\/)?workers\//.test(route.path)) return { ...traced, workerId: id };
  if (route.path !== '/api/tasks' || route.method !== 'post' || response instanceof Error) return traced;
  const { task_id: taskId } = (response.source ?? {}) as { task_id?: unknown };
  return typeof taskId === 'string' ? { ...traced, taskId } : traced;
}

function logLine(log: Log, request: Request): void {
  const { response, method, path, info, auth, app } = request;
  const status = response && !(response instanceof Error) ? response.statusCode : 499;
  const line = {
    requestId: app.requestId,
    method,
    path,
    status,
    ms: Math.max(0, (info.responded || info.completed || Date.now()) - info.received),
    user: auth.credentials?.user?.username,
    address: app.address,
    ...about(request),
  };
  // Reading is what dashboards and probes do all day; and of a flood that is refused one line tells enough.
  if ((method === 'get' && status < 400) || status === 429) log.debug(line, 'request');
  else log.info(line, 'request');
}
