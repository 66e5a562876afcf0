// GET /metrics for Prometheus, and the counting of what this copy of the API answers.

import type { Plugin, Server } from '@hapi/hapi';
import { documented } from '../openapi/call-doc.ts';
import type { ApiMetrics } from '../services/metrics/api-metrics.ts';
import { observeRoute } from './auth.ts';

export interface MetricsOptions {
  readonly metrics: ApiMetrics;
  readonly observeAuth: 'open' | 'required';
}

/** hapi's own name for what has no route. */
const NO_ROUTE = '/{p*}';

export const metricsPlugin: Plugin<MetricsOptions> = {
  name: 'metrics',
  register: (server: Server, { metrics, observeAuth }: MetricsOptions) => {
    server.route({
      method: 'GET',
      path: '/metrics',
      options: {
        ...observeRoute(observeAuth),
        ...documented({
          id: 'getMetrics',
          tag: 'cluster',
          summary: 'Measured values of this process and the cluster, for Prometheus.',
          replies: { 200: { content: { 'text/plain': 'text' } } },
        }),
      },
      handler: async (_request, h) =>
        h.response(await metrics.text()).header('content-type', metrics.contentType),
    });

    server.events.on('response', ({ response, route, method, info, app }) => {
      const { admission } = app;
      if (admission && !admission.verdict.isAllowed) metrics.limited(admission.kind);
      const status = response && !(response instanceof Error) ? response.statusCode : 499;
      const over = info.responded || info.completed || Date.now();
      metrics.answered({
        method,
        route: route.path === NO_ROUTE ? 'none' : route.path,
        status,
        tookMs: Math.max(0, over - info.received),
      });
    });
  },
};
