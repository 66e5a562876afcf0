// The calls on webhooks as typed functions. Like the client they are part of, they run in Node and in a browser.

import type {
  DeliveryBody,
  DeliveryListReply,
  SigningSecretReply,
  WebhookBody,
  WebhookListReply,
} from '../shared/contracts/webhooks.ts';
import type { WebhookEvent } from '../shared/model/webhook.ts';
import type { Transport } from './transport.ts';

export interface DeliveryFilter {
  readonly task?: string | undefined;
  readonly webhook?: string | undefined;
  /** 1 to 1,000; the API's default is 50. */
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

export interface NewWebhook {
  readonly url: string;
  /** Without it: the ends of tasks. */
  readonly events?: readonly WebhookEvent[] | undefined;
}

interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

/** All calls throw ApiError or ConnectionError; see `errors.ts`. */
export interface WebhookCalls {
  /** Told of all own tasks from now on. */
  createWebhook(webhook: NewWebhook): Promise<WebhookBody>;
  listWebhooks(options?: CallOptions): Promise<WebhookBody[]>;
  deleteWebhook(webhookId: string): Promise<void>;
  /** `whsec_…`; made when it is first asked for. */
  signingSecret(options?: CallOptions): Promise<string>;
  /** A new one; the old one is of no use from then on. */
  rotateSigningSecret(): Promise<string>;
  /** Newest first. */
  listDeliveries(filter?: DeliveryFilter, options?: CallOptions): Promise<DeliveryListReply>;
  /** Sends it again, at once. */
  redeliver(deliveryId: string): Promise<DeliveryBody>;
}

export function webhookCalls(transport: Transport): WebhookCalls {
  const secretPath = '/api/webhooks/signing-secret';
  return {
    createWebhook: (body) => transport.json({ method: 'POST', path: '/api/webhooks', body }),
    listWebhooks: async ({ signal } = {}) =>
      (await transport.json<WebhookListReply>({ method: 'GET', path: '/api/webhooks', signal })).webhooks,
    deleteWebhook: (id) =>
      transport.json({ method: 'DELETE', path: `/api/webhooks/${encodeURIComponent(id)}` }),
    signingSecret: async ({ signal } = {}) =>
      (await transport.json<SigningSecretReply>({ method: 'GET', path: secretPath, signal })).signing_secret,
    rotateSigningSecret: async () =>
      (await transport.json<SigningSecretReply>({ method: 'POST', path: `${secretPath}/rotate` }))
        .signing_secret,
    listDeliveries: (filter = {}, { signal } = {}) =>
      transport.json({ method: 'GET', path: '/api/webhooks/deliveries', query: { ...filter }, signal }),
    redeliver: (id) =>
      transport.json({
        method: 'POST',
        path: `/api/webhooks/deliveries/${encodeURIComponent(id)}/redeliver`,
      }),
  };
}
