// /workers and /telemetry: what anyone may see of the cluster. /api/workers: what an admin does to its workers.

import type { Plugin, Server } from '@hapi/hapi';
import { telemetryReply, workerBodies, workerBody } from '../../shared/contracts/cluster.ts';
import { drainSchema, registerWorkerSchema, workerIdParams } from '../../shared/contracts/schemas.ts';
import type { DrainBody, RegisterWorkerBody } from '../../shared/contracts/workers.ts';
import type { ClusterView } from '../services/cluster-view.ts';
import type { WorkerMaintenance } from '../services/maintenance.ts';
import type { Registrations } from '../services/registrations/registrations.ts';
import { bodyOf, checked, idOf } from '../validation.ts';
import { observeRoute, principalOf } from './auth.ts';

export interface WorkersOptions {
  readonly view: ClusterView;
  readonly maintenance: WorkerMaintenance;
  readonly registrations: Registrations;
  readonly observeAuth: 'open' | 'required';
}

const VERBS = { cordon: 'cordoned', uncordon: 'none' } as const;

export const workersPlugin: Plugin<WorkersOptions> = {
  name: 'workers',
  register: (server: Server, { view, maintenance, registrations, observeAuth }: WorkersOptions) => {
    const observe = observeRoute(observeAuth);

    server.route({
      method: 'GET',
      path: '/workers',
      options: observe,
      handler: async () => ({ workers: workerBodies(await view.snapshot()) }),
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

    server.route({
      method: 'POST',
      path: '/api/workers',
      options: { validate: checked({ payload: registerWorkerSchema }) },
      handler: async (request, h) => {
        const wanted = bodyOf<RegisterWorkerBody>(request);
        const worker = await registrations.register(principalOf(request), wanted);
        // 202: it is called again and again until it joins.
        return h.response(workerBody(worker)).code(worker.awaited ? 202 : 201);
      },
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
      method: 'POST',
      path: '/api/workers/{id}/drain',
      options: { validate: checked({ params: workerIdParams, payload: drainSchema }) },
      handler: async (request) => {
        const seconds = bodyOf<DrainBody | null>(request)?.deadline_seconds;
        const deadlineMs = seconds === undefined ? null : seconds * 1_000;
        return workerBody(await maintenance.drain(principalOf(request), idOf(request), deadlineMs));
      },
    });

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
