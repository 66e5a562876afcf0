// /workers and /telemetry: what anyone may see of the cluster. /api/workers: what an admin does to its workers.

import type { Plugin, Server } from '@hapi/hapi';
import { telemetryReply, workerBodies, workerBody } from '../../shared/contracts/cluster.ts';
import { telemetryReplySchema } from '../../shared/contracts/cluster-reply-schemas.ts';
import { drainSchema, registerWorkerSchema, workerIdParams } from '../../shared/contracts/schemas.ts';
import { workerListReplySchema, workerReplySchema } from '../../shared/contracts/worker-reply-schemas.ts';
import type { DrainBody, RegisterWorkerBody } from '../../shared/contracts/workers.ts';
import { documented } from '../openapi/call-doc.ts';
import type { AuditTrail } from '../services/audit-trail.ts';
import type { ClusterView } from '../services/cluster-view.ts';
import type { WorkerMaintenance } from '../services/maintenance.ts';
import type { Registrations } from '../services/registrations/registrations.ts';
import { bodyOf, checked, idOf } from '../validation.ts';
import { originOf } from './audit.ts';
import { observeRoute, principalOf } from './auth.ts';

export interface WorkersOptions {
  readonly view: ClusterView;
  readonly maintenance: WorkerMaintenance;
  readonly registrations: Registrations;
  readonly observeAuth: 'open' | 'required';
  readonly trail: AuditTrail;
}

const VERBS = [
  { verb: 'cordon', wish: 'cordoned', summary: 'Nothing new is placed there.' },
  { verb: 'uncordon', wish: 'none', summary: 'Tasks are placed there again.' },
] as const;

export const workersPlugin: Plugin<WorkersOptions> = {
  name: 'workers',
  register: (server: Server, { view, maintenance, registrations, observeAuth, trail }: WorkersOptions) => {
    const observe = observeRoute(observeAuth);

    server.route({
      method: 'GET',
      path: '/workers',
      options: {
        ...observe,
        ...documented({
          id: 'listWorkers',
          tag: 'workers',
          summary: 'Capacity, what is free, state and heartbeat of all machines.',
          replies: { 200: workerListReplySchema },
        }),
      },
      handler: async () => ({ workers: workerBodies(await view.snapshot()) }),
    });

    server.route({
      method: 'GET',
      path: '/workers/{id}',
      options: {
        ...documented({
          id: 'getWorker',
          tag: 'workers',
          summary: 'One machine.',
          replies: { 200: workerReplySchema },
          refusals: [404],
        }),
        ...observe,
        validate: checked({ params: workerIdParams }),
      },
      handler: async (request) => workerBody(await view.worker(idOf(request))),
    });

    server.route({
      method: 'GET',
      path: '/telemetry',
      options: {
        ...observe,
        ...documented({
          id: 'getTelemetry',
          tag: 'cluster',
          summary: 'The cluster as it is now.',
          replies: { 200: telemetryReplySchema },
        }),
      },
      handler: async () => telemetryReply(await view.snapshot()),
    });

    server.route({
      method: 'POST',
      path: '/api/workers',
      options: {
        ...documented({
          id: 'registerWorker',
          tag: 'workers',
          summary: 'Takes in the runner that waits at an address.',
          notes: '201 when it has joined; 202 while it is called on.',
          replies: { 201: workerReplySchema, 202: workerReplySchema },
          refusals: [404, 409],
        }),
        validate: checked({ payload: registerWorkerSchema }),
      },
      handler: async (request, h) => {
        const wanted = bodyOf<RegisterWorkerBody>(request);
        const worker = await trail.note(
          originOf(request),
          { action: 'worker.register', target: wanted.id, details: { address: wanted.address } },
          () => registrations.register(principalOf(request), wanted),
          (registered) => ({ details: { joined: !registered.awaited } }),
        );
        // 202: it is called again and again until it joins.
        return h.response(workerBody(worker)).code(worker.awaited ? 202 : 201);
      },
    });

    for (const { verb, wish, summary } of VERBS) {
      server.route({
        method: 'POST',
        path: `/api/workers/{id}/${verb}`,
        options: {
          ...documented({
            id: `${verb}Worker`,
            tag: 'workers',
            summary,
            replies: { 200: workerReplySchema },
            refusals: [403, 404, 409],
          }),
          validate: checked({ params: workerIdParams }),
        },
        handler: async (request) => {
          const id = idOf(request);
          const deed = { action: `worker.${verb}`, target: id } as const;
          const worker = await trail.note(originOf(request), deed, () =>
            maintenance.set(principalOf(request), id, wish),
          );
          return workerBody(worker);
        },
      });
    }

    server.route({
      method: 'POST',
      path: '/api/workers/{id}/drain',
      options: {
        ...documented({
          id: 'drainWorker',
          tag: 'workers',
          summary:
            'Nothing new is placed there; what runs there finishes, or moves elsewhere at the deadline.',
          notes: 'The body may be left out.',
          replies: { 200: workerReplySchema },
          refusals: [403, 404, 409],
        }),
        validate: checked({ params: workerIdParams, payload: drainSchema }),
      },
      handler: async (request) => {
        const seconds = bodyOf<DrainBody | null>(request)?.deadline_seconds;
        const deadlineMs = seconds === undefined ? null : seconds * 1_000;
        const id = idOf(request);
        const details = seconds === undefined ? {} : { deadline_seconds: seconds };
        const worker = await trail.note(
          originOf(request),
          { action: 'worker.drain', target: id, details },
          () => maintenance.drain(principalOf(request), id, deadlineMs),
        );
        return workerBody(worker);
      },
    });

    server.route({
      method: 'DELETE',
      path: '/api/workers/{id}',
      options: {
        ...documented({
          id: 'removeWorker',
          tag: 'workers',
          summary: 'Forgets a worker that is down or holds no task.',
          replies: { 204: null },
          refusals: [403, 404, 409],
        }),
        validate: checked({ params: workerIdParams }),
      },
      handler: async (request, h) => {
        const id = idOf(request);
        await trail.note(originOf(request), { action: 'worker.remove', target: id }, () =>
          maintenance.remove(principalOf(request), id),
        );
        return h.response().code(204);
      },
    });
  },
};
