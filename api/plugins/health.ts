// /healthz: this process lives. /readyz: it can do its work, or what keeps it from it.

import type { Plugin, Server } from '@hapi/hapi';
import { healthReplySchema, readyReplySchema } from '../../shared/contracts/cluster-reply-schemas.ts';
import type { ReadyReply } from '../../shared/contracts/http.ts';
import { documented } from '../openapi/call-doc.ts';
import type { Readiness } from '../services/readiness.ts';

export interface HealthOptions {
  readonly readiness: Readiness;
}

export const healthPlugin: Plugin<HealthOptions> = {
  name: 'health',
  register: (server: Server, { readiness }: HealthOptions) => {
    server.route({
      method: 'GET',
      path: '/healthz',
      options: {
        ...documented({
          id: 'isAlive',
          tag: 'service',
          summary: 'This process lives.',
          replies: { 200: healthReplySchema },
        }),
        auth: false,
      },
      handler: () => ({ status: 'ok' }),
    });

    server.route({
      method: 'GET',
      path: '/readyz',
      options: {
        ...documented({
          id: 'isReady',
          tag: 'service',
          summary: 'It can do its work, or what keeps it from it.',
          replies: {
            200: readyReplySchema,
            503: {
              content: { 'application/json': readyReplySchema },
              headers: { 'Retry-After': { description: 'Seconds to wait before it is asked again.' } },
            },
          },
        }),
        auth: false,
      },
      handler: async (_request, h) => {
        const checked = await readiness.results();
        const ready = checked.every(([, { ok }]) => ok);
        const reply: ReadyReply = {
          status: ready ? 'ready' : 'unavailable',
          checks: Object.fromEntries(checked),
        };
        const response = h.response(reply).code(ready ? 200 : 503);
        return ready ? response : response.header('retry-after', '2');
      },
    });
  },
};
