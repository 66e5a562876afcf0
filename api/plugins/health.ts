// /healthz: this process lives. /readyz: it can do its work, or what keeps it from it.

import type { Plugin, Server } from '@hapi/hapi';
import type { ReadyReply } from '../../shared/contracts/http.ts';
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
      options: { auth: false },
      handler: () => ({ status: 'ok' }),
    });

    server.route({
      method: 'GET',
      path: '/readyz',
      options: { auth: false },
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
