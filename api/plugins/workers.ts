// /workers and /telemetry: what anyone may see of the cluster. /api/workers: what an admin does to its workers.

import type { Plugin, RouteOptionsAccess, Server } from '@hapi/hapi';
import { telemetryReply, workerBody } from '../../shared/contracts/cluster.ts';
import { workerIdParams } from '../../shared/contracts/schemas.ts';
import type { ClusterView } from '../services/cluster-view.ts';
import type { WorkerMaintenance } from '../services/maintenance.ts';
import { checked, idOf } from '../validation.ts';
import { principalOf } from './auth.ts';

export interface WorkersOptions {
  readonly view: ClusterView;
  readonly maintenance: WorkerMaintenance;
  readonly observeAuth: 'open' | 'required';
}

const VERBS = { cordon: 'cordoned', uncordon: 'none', drain: 'draining' } as const;

export const workersPlugin: Plugin<WorkersOptions> = {
  name: 'workers',
  register: (server: Server, { view, maintenance, observeAuth }: WorkersOptions) => {
    const observe: { auth?: false | string | RouteOptionsAccess } =
      observeAuth === 'open' ? { auth: false } : {};

    server.route({
      method: 'GET',
      path: '/workers',
      options: observe,
      handler: async () => ({ workers: (await view.snapshot()).workers.map(workerBody) }),
    });

    server.route({
      method: 'GET',
      path: '/workers/{id}',
      options: { ...observe, validate: checked({ params: workerIdParams }) },
      handler: async (request) => workerBody(await view.worker(idOf(request))),
    });

    server.route({
      method: 'GET',
      path: '/telemetry',
      options: observe,
      handler: async () => telemetryReply(await view.snapshot()),
    });

    for (const [verb, wish] of Object.entries(VERBS)) {
      server.route({
        method: 'POST',
        path: `/api/workers/{id}/${verb}`,
        options: { validate: checked({ params: workerIdParams }) },
        handler: async (request) =>
          workerBody(await maintenance.set(principalOf(request), idOf(request), wish)),
      });
    }

    server.route({
      method: 'DELETE',
      path: '/api/workers/{id}',
      options: { validate: checked({ params: workerIdParams }) },
      handler: async (request, h) => {
        await maintenance.remove(principalOf(request), idOf(request));
        return h.response().code(204);
      },
    });
  },
};
