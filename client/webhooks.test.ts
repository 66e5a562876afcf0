import { afterEach, beforeEach, expect, it } from 'vitest';
import { type SmallApi, Status, startSmallApi } from '../test/support/small-api.ts';
import { type Client, createClient } from './client.ts';

let api: SmallApi;
let client: Client;

beforeEach(async () => {
  api = await startSmallApi();
  client = createClient({ url: api.url, token: 'a-token' });
});
afterEach(() => api.close());

const lastCall = () => {
  const { method, path, query, body } = api.asked.at(-1) ?? {};
  return { call: `${method} ${path}`, query, body };
};

it('every call on webhooks reaches its path and gives what is inside the envelope', async () => {
  const webhook = { webhook_id: 'webhook-1', url: 'http://a/', events: ['failed'], created_at: '' };
  api.on('POST /api/webhooks', () => new Status(201, webhook));
  expect(await client.createWebhook({ url: 'http://a/', events: ['failed'] })).toEqual(webhook);
  expect(lastCall()).toMatchObject({
    call: 'POST /api/webhooks',
    body: { url: 'http://a/', events: ['failed'] },
  });

  api.on('GET /api/webhooks', () => ({ webhooks: [webhook] }));
  expect(await client.listWebhooks()).toEqual([webhook]);

  api.on('DELETE /api/webhooks/:id', () => new Status(204, null));
  expect(await client.deleteWebhook('webhook/1')).toBeUndefined();
  expect(lastCall().call).toBe('DELETE /api/webhooks/webhook%2F1');

  api.on('GET /api/webhooks/signing-secret', () => ({ signing_secret: 'whsec_a' }));
  expect(await client.signingSecret()).toBe('whsec_a');
  api.on('POST /api/webhooks/signing-secret/rotate', () => ({ signing_secret: 'whsec_b' }));
  expect(await client.rotateSigningSecret()).toBe('whsec_b');

  const page = { deliveries: [], next_cursor: null };
  api.on('GET /api/webhooks/deliveries', () => page);
  expect(await client.listDeliveries({ task: 'task-1', webhook: undefined, limit: 5 })).toEqual(page);
  expect(lastCall().query).toEqual({ task: 'task-1', limit: '5' });

  api.on('POST /api/webhooks/deliveries/:id/redeliver', () => new Status(202, { delivery_id: 'd' }));
  expect(await client.redeliver('d')).toEqual({ delivery_id: 'd' });
  expect(lastCall().call).toBe('POST /api/webhooks/deliveries/d/redeliver');
});
