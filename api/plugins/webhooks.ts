// /api/webhooks: whom to tell of changes of one's tasks, the secret they are signed with, and what came of it.
// Translates between the wire and the service only.

import type { Plugin, ResponseObject, Server } from '@hapi/hapi';
import {
  type DeliveryListQuery,
  deliveryListSchema,
  newWebhookSchema,
  webhookIdParams,
} from '../../shared/contracts/webhook-schemas.ts';
import {
  type DeliveryListReply,
  deliveryBody,
  type SigningSecretReply,
  type WebhookListReply,
  type WebhookTargetBody,
  webhookBody,
} from '../../shared/contracts/webhooks.ts';
import type { AuditTrail } from '../services/audit-trail.ts';
import type { Webhooks } from '../services/webhooks/webhooks.ts';
import { bodyOf, checked, idOf, queryOf } from '../validation.ts';
import { originOf } from './audit.ts';
import { principalOf } from './auth.ts';

export interface WebhooksOptions {
  readonly webhooks: Webhooks;
  readonly trail: AuditTrail;
}

export const webhooksPlugin: Plugin<WebhooksOptions> = {
  name: 'webhooks',
  register: (server: Server, { webhooks, trail }: WebhooksOptions) => {
    server.route({
      method: 'POST',
      path: '/api/webhooks',
      options: { validate: checked({ payload: newWebhookSchema }) },
      handler: async (request, h) => {
        const wanted = bodyOf<WebhookTargetBody>(request);
        const webhook = await trail.note(
          originOf(request),
          { action: 'webhook.create' },
          () => webhooks.create(principalOf(request), wanted),
          // Its address may hold a secret; its host is enough to know it by.
          ({ id, url, events }) => ({ targets: [id], details: { host: new URL(url).host, events } }),
        );
        return h.response(webhookBody(webhook)).code(201);
      },
    });

    server.route({
      method: 'GET',
      path: '/api/webhooks',
      handler: async (request): Promise<WebhookListReply> => ({
        webhooks: (await webhooks.list(principalOf(request))).map(webhookBody),
      }),
    });

    server.route({
      method: 'DELETE',
      path: '/api/webhooks/{id}',
      options: { validate: checked({ params: webhookIdParams }) },
      handler: async (request, h) => {
        const id = idOf(request);
        await trail.note(originOf(request), { action: 'webhook.delete', target: id }, () =>
          webhooks.remove(principalOf(request), id),
        );
        return h.response().code(204);
      },
    });

    server.route({
      method: 'GET',
      path: '/api/webhooks/signing-secret',
      handler: async (request, h) => {
        const reply: SigningSecretReply = {
          signing_secret: await webhooks.signingSecret(principalOf(request)),
        };
        return notKept(h.response(reply));
      },
    });

    server.route({
      method: 'POST',
      path: '/api/webhooks/signing-secret/rotate',
      handler: async (request, h) => {
        const by = principalOf(request);
        const deed = { action: 'webhook.rotate_secret', target: by.username } as const;
        const secret = await trail.note(originOf(request), deed, () => webhooks.rotateSigningSecret(by));
        const reply: SigningSecretReply = { signing_secret: secret };
        return notKept(h.response(reply));
      },
    });

    server.route({
      method: 'GET',
      path: '/api/webhooks/deliveries',
      options: { validate: checked({ query: deliveryListSchema }) },
      handler: async (request): Promise<DeliveryListReply> => {
        const { task, webhook, limit, cursor } = queryOf<DeliveryListQuery>(request);
        const query = { taskId: task, webhookId: webhook, limit, before: cursor };
        const { deliveries, next } = await webhooks.deliveries(principalOf(request), query);
        return { deliveries: deliveries.map(deliveryBody), next_cursor: next };
      },
    });

    server.route({
      method: 'POST',
      path: '/api/webhooks/deliveries/{id}/redeliver',
      options: { validate: checked({ params: webhookIdParams }) },
      handler: async (request, h) => {
        const id = idOf(request);
        const delivery = await trail.note(
          originOf(request),
          { action: 'webhook.redeliver', target: id },
          () => webhooks.redeliver(principalOf(request), id),
        );
        return h.response(deliveryBody(delivery)).code(202);
      },
    });
  },
};

/** A secret must stay in no cache. */
function notKept(response: ResponseObject): ResponseObject {
  return response.header('cache-control', 'no-store');
}
