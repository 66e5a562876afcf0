// /api/webhooks: whom to tell of changes of one's tasks, the secret they are signed with, and what came of it.
// Translates between the wire and the service only.

import type { Plugin, ResponseObject, Server } from '@hapi/hapi';
import {
  deliveryListReplySchema,
  deliveryReplySchema,
  signingSecretReplySchema,
  webhookListReplySchema,
  webhookReplySchema,
} from '../../shared/contracts/webhook-reply-schemas.ts';
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
import { documented } from '../openapi/call-doc.ts';
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
      options: {
        ...documented({
          id: 'createWebhook',
          tag: 'webhooks',
          summary: 'Tells an address of all own tasks from now on.',
          replies: { 201: webhookReplySchema },
          refusals: [403, 409],
        }),
        validate: checked({ payload: newWebhookSchema }),
      },
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
      options: {
        ...documented({
          id: 'listWebhooks',
          tag: 'webhooks',
          summary: 'Own webhooks.',
          replies: { 200: webhookListReplySchema },
        }),
      },
      handler: async (request): Promise<WebhookListReply> => ({
        webhooks: (await webhooks.list(principalOf(request))).map(webhookBody),
      }),
    });

    server.route({
      method: 'DELETE',
      path: '/api/webhooks/{id}',
      options: {
        ...documented({
          id: 'deleteWebhook',
          tag: 'webhooks',
          summary: 'Takes a webhook back.',
          replies: { 204: null },
          refusals: [404],
        }),
        validate: checked({ params: webhookIdParams }),
      },
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
      options: {
        ...documented({
          id: 'getSigningSecret',
          tag: 'webhooks',
          summary: 'What is sent is signed with it; made on first use.',
          replies: { 200: signingSecretReplySchema },
        }),
      },
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
      options: {
        ...documented({
          id: 'rotateSigningSecret',
          tag: 'webhooks',
          summary: 'A new secret, used at once.',
          replies: { 200: signingSecretReplySchema },
        }),
      },
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
      options: {
        ...documented({
          id: 'listDeliveries',
          tag: 'webhooks',
          summary: 'What was sent and what came of it, newest first.',
          replies: { 200: deliveryListReplySchema },
        }),
        validate: checked({ query: deliveryListSchema }),
      },
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
      options: {
        ...documented({
          id: 'redeliver',
          tag: 'webhooks',
          summary: 'Sends it again, at once.',
          replies: { 202: deliveryReplySchema },
          refusals: [404, 409],
        }),
        validate: checked({ params: webhookIdParams }),
      },
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
