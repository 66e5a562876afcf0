import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DeliveryBody, WebhookBody } from '../shared/contracts/webhooks.ts';
import { type CliStage, openCliStage } from '../test/support/cli-stage.ts';
import { makeTaskBody, refusal, Status, TASK_ID } from '../test/support/small-api.ts';

let stage: CliStage;
let api: CliStage['api'];
let cloudai: CliStage['cloudai'];

beforeEach(async () => {
  stage = await openCliStage();
  ({ api, cloudai } = stage);
});
afterEach(() => stage.close());

const lastAsked = () => api.asked.at(-1);

const webhook: WebhookBody = {
  webhook_id: 'webhook-1',
  url: 'https://receiver.example/hook',
  events: ['completed', 'failed', 'cancelled'],
  created_at: '2026-01-01T10:00:00.000Z',
};
const delivery: DeliveryBody = {
  delivery_id: 'delivery-1',
  webhook_id: 'webhook-1',
  task_id: TASK_ID,
  event: 'completed',
  url: webhook.url,
  state: 'pending',
  tries: [
    { at: '2026-01-01T10:00:00.000Z', took_ms: 12, status: 500, error: 'the receiver answered 500\x1b[2J' },
  ],
  next_try_at: '2026-01-01T10:00:05.000Z',
  created_at: '2026-01-01T10:00:00.000Z',
};

describe('webhooks', () => {
  it('are made, with the events that were named or those of the API', async () => {
    api.on('POST /api/webhooks', () => new Status(201, webhook));
    const { code, out, err } = await cloudai(['webhooks', 'create', webhook.url]);
    expect({ code, out }).toEqual({ code: 0, out: 'webhook-1 hears of completed, failed, cancelled.\n' });
    expect(err).toContain('cloudai webhooks secret');
    expect(lastAsked()?.body).toEqual({ url: webhook.url });
    await cloudai(['webhooks', 'create', webhook.url, '-events', 'running,Failed,running', '-quiet']);
    expect(lastAsked()?.body).toEqual({ url: webhook.url, events: ['running', 'failed'] });
    expect(await cloudai(['webhooks', 'create', webhook.url, '--events', 'ended'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('queued, assigned, running'),
    });
  });

  it('tell what the API refused', async () => {
    const details = [{ field: 'url', message: '"url" must not lead to 127.0.0.1, a loopback address' }];
    api.on('POST /api/webhooks', () => refusal(400, 'invalid_request', details[0]?.message ?? '', details));
    expect(await cloudai(['webhooks', 'create', 'http://127.0.0.1/'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('loopback'),
    });
  });

  it('are listed and deleted', async () => {
    api.on('GET /api/webhooks', () => ({ webhooks: [webhook] }));
    const { out } = await cloudai(['webhooks', 'list'], { columns: 120 });
    expect(out).toMatch(
      /^WEBHOOK +URL +EVENTS +MADE\nwebhook-1 +https:\/\/receiver.example\/hook +completed,/,
    );
    expect((await cloudai(['webhooks', 'list', '--quiet'])).out).toBe('webhook-1\n');
    expect(JSON.parse((await cloudai(['webhooks', 'list', '--json'])).out)).toEqual({ webhooks: [webhook] });
    api.on('GET /api/webhooks', () => ({ webhooks: [] }));
    expect((await cloudai(['webhooks', 'list'])).out).toContain('You have no webhooks');
    api.on('DELETE /api/webhooks/:id', () => new Status(204, null));
    expect((await cloudai(['webhooks', 'delete', 'webhook-1'])).out).toBe('webhook-1 is deleted.\n');
  });

  it('have a secret that can be changed', async () => {
    api.on('GET /api/webhooks/signing-secret', () => ({ signing_secret: 'whsec_old' }));
    api.on('POST /api/webhooks/signing-secret/rotate', () => ({ signing_secret: 'whsec_new' }));
    expect(await cloudai(['webhooks', 'secret'])).toEqual({ code: 0, out: 'whsec_old\n', err: '' });
    expect((await cloudai(['webhooks', 'secret', '-rotate'])).out).toBe('whsec_new\n');
    expect((await cloudai(['webhooks', 'secret', '--json'])).out).toContain('"signing_secret": "whsec_old"');
  });

  it('show what came of deliveries without letting a receiver steer the terminal', async () => {
    api.on('GET /api/webhooks/deliveries', () => ({
      deliveries: [
        delivery,
        {
          ...delivery,
          delivery_id: 'delivery-2',
          state: 'delivered',
          tries: [{ at: '', took_ms: 12, status: 204, error: null }],
        },
        { ...delivery, delivery_id: 'delivery-3', tries: [] },
      ],
      next_cursor: 'delivery-3',
    }));
    const { out, err } = await cloudai(
      ['webhooks', 'deliveries', '-task', TASK_ID, '-webhook', 'webhook-1', '-limit', '3'],
      { columns: 160, color: true },
    );
    expect(lastAsked()?.query).toEqual({ task: TASK_ID, webhook: 'webhook-1', limit: '3' });
    expect(out).toMatch(/delivery-1 .*completed .*pending.* 1 +the receiver answered 500 \[2J/);
    expect(out).toMatch(/delivery-2 .*delivered.* 1 +204 in 12 ms/);
    for (const state of ['\x1b[33mpending\x1b[39m', '\x1b[32mdelivered\x1b[39m']) {
      expect(out).toContain(state);
    }
    expect(out).not.toContain('\x1b[2J');
    expect(err).toContain('There are more');
    expect((await cloudai(['webhooks', 'deliveries', '-quiet'])).out).toBe(
      'delivery-1\ndelivery-2\ndelivery-3\n',
    );
  });

  it('are sent again when asked', async () => {
    api.on('POST /api/webhooks/deliveries/:id/redeliver', () => new Status(202, delivery));
    expect((await cloudai(['webhooks', 'redeliver', 'delivery-1'])).out).toBe('delivery-1 is sent again.\n');
    expect(lastAsked()?.path).toBe('/api/webhooks/deliveries/delivery-1/redeliver');
  });
});

it('a task may name one of its own', async () => {
  api.on('POST /api/tasks', () => new Status(201, makeTaskBody()));
  await cloudai(['task', 'a', '-webhook', webhook.url]);
  expect(lastAsked()?.body).toEqual({
    docker_image: 'a',
    webhook: { url: webhook.url, events: ['completed', 'failed', 'cancelled'] },
  });
});
