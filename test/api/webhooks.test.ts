// Webhooks as calls: registering, what is refused with which words, the signing secret, what is not yours.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TaskBody } from '../../shared/contracts/http.ts';
import type {
  DeliveryBody,
  DeliveryListReply,
  SigningSecretReply,
  WebhookBody,
  WebhookListReply,
} from '../../shared/contracts/webhooks.ts';
import type { WebhookDelivery } from '../../shared/model/webhook.ts';
import { newTaskId } from '../../shared/platform/ids.ts';
import { countTasks, openTestApi, type Person, type Refused, type TestApi } from './harness.ts';

let test: TestApi;
let alice: Person;
let bob: Person;

beforeAll(async () => {
  // Nothing becomes due by itself here.
  test = await openTestApi({ env: { WEBHOOK_ALLOW: '127.0.0.1:9,allowed.localhost' } });
  await test.signUp('root');
  alice = await test.signUp('alice');
  bob = await test.signUp('bob');
});
afterAll(() => test?.close());

const URL_OUT = 'https://receiver.example/hook';
const create = (body: unknown, as: Person = alice) =>
  test.call<WebhookBody & Refused>('POST', '/api/webhooks', { as, body });
const list = async (as: Person = alice) =>
  (await test.call<WebhookListReply>('GET', '/api/webhooks', { as })).body.webhooks;
const secretOf = async (as: Person) =>
  (await test.call<SigningSecretReply>('GET', '/api/webhooks/signing-secret', { as })).body.signing_secret;

describe('a webhook', () => {
  it('is registered, listed and deleted by its owner and nobody else', async () => {
    const { status, body } = await create({ url: URL_OUT });
    expect(status).toBe(201);
    expect(body).toEqual({
      webhook_id: expect.stringMatching(/^webhook-[0-9a-f]{20}$/),
      url: URL_OUT,
      events: ['completed', 'failed', 'cancelled'],
      created_at: expect.stringMatching(/Z$/),
    });
    expect(await list()).toEqual([body]);
    expect(await list(bob)).toEqual([]);
    const path = `/api/webhooks/${body.webhook_id}`;
    expect(await test.call('DELETE', path, { as: bob })).toMatchObject({
      status: 404,
      body: { code: 'not_found' },
    });
    expect((await test.call('DELETE', path)).status).toBe(401);
    expect((await test.call('DELETE', path, { as: alice })).status).toBe(204);
    expect((await test.call('DELETE', path, { as: alice })).status).toBe(404);
    expect(await list()).toEqual([]);
  });

  it('names the events it wants', async () => {
    const { body } = await create({ url: 'http://10.0.0.1:9000/x', events: ['running', 'failed'] });
    expect(body.events).toEqual(['running', 'failed']);
    await test.call('DELETE', `/api/webhooks/${body.webhook_id}`, { as: alice });
  });

  it.each<[string, unknown, string]>([
    ['no url', {}, 'url'],
    ['no address', { url: 'receiver' }, 'url'],
    ['a port that is none', { url: 'http://receiver.example:99999/' }, 'url'],
    ['another scheme', { url: 'ftp://receiver.example/' }, 'url'],
    ['a file', { url: 'file:///etc/passwd' }, 'url'],
    ['an overlong url', { url: `http://receiver.example/${'x'.repeat(2_100)}` }, 'url'],
    ['an unknown event', { url: URL_OUT, events: ['ended'] }, 'events.0'],
    ['no events', { url: URL_OUT, events: [] }, 'events'],
    ['an event twice', { url: URL_OUT, events: ['failed', 'failed'] }, 'events.1'],
    ['an unknown field', { url: URL_OUT, secret: 'x' }, 'secret'],
    ['loopback', { url: 'http://127.0.0.1/' }, 'url'],
    ['loopback by name', { url: 'http://localhost/' }, 'url'],
    ['loopback as a number', { url: 'http://2130706433/' }, 'url'],
    ['loopback of IPv6', { url: 'http://[::1]/' }, 'url'],
    ['loopback of IPv4 in IPv6', { url: 'http://[::ffff:127.0.0.1]/' }, 'url'],
    ['every address', { url: 'http://0.0.0.0/' }, 'url'],
    ['the metadata of a cloud', { url: 'http://169.254.169.254/' }, 'url'],
  ])('with %s is refused and makes nothing', async (_what, body, field) => {
    const reply = await create(body);
    expect(reply).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    expect(reply.body.details.map((detail) => detail.field)).toEqual([field]);
    expect(await list()).toEqual([]);
  });

  it('may lead where WEBHOOK_ALLOW lets it', async () => {
    for (const url of ['http://127.0.0.1:9/', 'http://allowed.localhost/']) {
      const { status, body } = await create({ url });
      expect(status).toBe(201);
      await test.call('DELETE', `/api/webhooks/${body.webhook_id}`, { as: alice });
    }
  });

  it('is one of twenty at most', async () => {
    const carol = await test.signUp('carol');
    for (let n = 0; n < 20; n += 1) expect((await create({ url: URL_OUT }, carol)).status).toBe(201);
    expect(await create({ url: URL_OUT }, carol)).toMatchObject({
      status: 409,
      body: { code: 'conflict', message: expect.stringContaining('20 webhooks') },
    });
    const webhooks = await list(carol);
    expect(webhooks).toHaveLength(20);
    await test.call('DELETE', `/api/webhooks/${webhooks[7]?.webhook_id}`, { as: carol });
    expect((await create({ url: URL_OUT }, carol)).status).toBe(201);
  });
});

describe('a task', () => {
  const submit = (webhook: unknown) =>
    test.call<TaskBody & Refused>('POST', '/api/tasks', {
      as: alice,
      body: { docker_image: 'ubuntu:latest', webhook },
    });

  it('may name one of its own, also when it is tried again', async () => {
    const { body } = await submit({ url: URL_OUT, events: ['running'] });
    expect(body.webhook).toEqual({ url: URL_OUT, events: ['running'] });
    expect((await test.store.tasks.get(body.task_id))?.spec.webhook).toEqual(body.webhook);
    const again = await test.call<TaskBody>('POST', `/api/tasks/${body.task_id}/retry`, { as: alice });
    expect(again.body.webhook).toEqual(body.webhook);
    expect((await submit({ url: URL_OUT })).body.webhook?.events).toEqual([
      'completed',
      'failed',
      'cancelled',
    ]);
    expect((await submit(null)).body.webhook).toBeNull();
  });

  it('that names a forbidden one is refused and not made', async () => {
    const before = await countTasks(test.store);
    for (const url of [
      'http://127.0.0.1/',
      'http://localhost/',
      'http://[::1]/',
      'http://169.254.169.254/',
    ]) {
      const reply = await submit({ url });
      expect(reply).toMatchObject({ status: 400, body: { details: [{ field: 'webhook.url' }] } });
      expect(reply.body.message).toMatch(/"webhook.url" must not lead to .*WEBHOOK_ALLOW/);
    }
    const good = { docker_image: 'ubuntu:latest', webhook: { url: URL_OUT } };
    const bad = { docker_image: 'ubuntu:latest', webhook: { url: 'http://127.1/' } };
    const batch = await test.call<Refused>('POST', '/api/tasks/batch', {
      as: alice,
      body: { tasks: [good, bad] },
    });
    expect(batch).toMatchObject({ status: 400, body: { details: [{ field: 'tasks.1.webhook.url' }] } });
    expect(await countTasks(test.store)).toBe(before);
  });
});

describe('the signing secret', () => {
  it('is made once, is one per user, and is kept in no cache', async () => {
    const replies = await Promise.all(
      [1, 2, 3].map(() =>
        test.call<SigningSecretReply>('GET', '/api/webhooks/signing-secret', { as: alice }),
      ),
    );
    const [first] = replies;
    expect(first).toMatchObject({ status: 200, headers: { 'cache-control': 'no-store' } });
    expect(first?.body.signing_secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(new Set(replies.map(({ body }) => body.signing_secret)).size).toBe(1);
    expect(await secretOf(bob)).not.toBe(first?.body.signing_secret);
  });

  it('is another one after it was rotated', async () => {
    const before = await secretOf(alice);
    const others = await secretOf(bob);
    const reply = await test.call<SigningSecretReply>('POST', '/api/webhooks/signing-secret/rotate', {
      as: alice,
    });
    expect(reply).toMatchObject({ status: 200, headers: { 'cache-control': 'no-store' } });
    expect(reply.body.signing_secret).not.toBe(before);
    expect(await secretOf(alice)).toBe(reply.body.signing_secret);
    expect(await secretOf(bob)).toBe(others);
  });

  it('needs a sign-in', async () => {
    expect((await test.call('GET', '/api/webhooks/signing-secret')).status).toBe(401);
    expect((await test.call('POST', '/api/webhooks/signing-secret/rotate')).status).toBe(401);
  });
});

describe('deliveries', () => {
  const deliveries = (query: string, as: Person = alice) =>
    test.call<DeliveryListReply & Refused>('GET', `/api/webhooks/deliveries${query}`, { as });
  let made: WebhookDelivery[];

  beforeAll(async () => {
    const task = newTaskId();
    made = Array.from({ length: 5 }, (_, n) => ({
      id: `delivery-${n}`,
      ownerId: alice.id,
      webhookId: n % 2 === 0 ? 'webhook-even' : null,
      taskId: n < 3 ? task : newTaskId(),
      event: 'completed',
      url: URL_OUT,
      payload: '{"no":"business of a list"}',
      state: 'delivered',
      tries: [{ at: 1_000, tookMs: 12.3, status: 200, error: null }],
      nextAt: 1_000,
      revision: 2,
      createdAt: Date.now() + n,
    }));
    await test.store.webhooks.insertDeliveries(made);
  });

  it('are listed newest first, page by page, to their owner', async () => {
    const first = await deliveries('?limit=2');
    expect(first.body.deliveries.map(({ delivery_id }) => delivery_id)).toEqual(['delivery-4', 'delivery-3']);
    expect(first.text).not.toContain('business');
    const second = await deliveries(`?limit=2&cursor=${first.body.next_cursor}`);
    const third = await deliveries(`?limit=2&cursor=${second.body.next_cursor}`);
    expect(third.body).toMatchObject({ deliveries: [{ delivery_id: 'delivery-0' }], next_cursor: null });
    expect((await deliveries('?limit=5')).body.next_cursor).toBeNull();
    expect((await deliveries('', bob)).body).toEqual({ deliveries: [], next_cursor: null });
    expect(second.body.deliveries[0]).toEqual({
      delivery_id: 'delivery-2',
      webhook_id: 'webhook-even',
      task_id: made[2]?.taskId ?? '',
      event: 'completed',
      url: URL_OUT,
      state: 'delivered',
      tries: [{ at: '1970-01-01T00:00:01.000Z', took_ms: 12, status: 200, error: null }],
      next_try_at: null,
      created_at: new Date(made[2]?.createdAt ?? 0).toISOString(),
    } satisfies DeliveryBody);
  });

  it('are found by task and by webhook', async () => {
    const ids = async (query: string) =>
      (await deliveries(query)).body.deliveries.map(({ delivery_id }) => delivery_id.at(-1)).join('');
    expect(await ids(`?task=${made[0]?.taskId}`)).toBe('210');
    expect(await ids('?webhook=webhook-even')).toBe('420');
    expect(await ids(`?task=${made[0]?.taskId}&webhook=webhook-even`)).toBe('20');
    expect(await ids('?webhook=webhook-of-nobody')).toBe('');
  });

  it('are asked for in a form that is checked', async () => {
    for (const [query, field] of [
      ['?limit=0', 'limit'],
      ['?limit=5000', 'limit'],
      ['?task=1', 'task'],
      ['?state=failed', 'state'],
    ] as const) {
      expect(await deliveries(query)).toMatchObject({ status: 400, body: { details: [{ field }] } });
    }
    expect((await deliveries('?cursor=delivery-unknown')).status).toBe(200);
  });

  it('of others cannot be sent again', async () => {
    const path = '/api/webhooks/deliveries/delivery-0/redeliver';
    expect(await test.call('POST', path, { as: bob })).toMatchObject({
      status: 404,
      body: { code: 'not_found' },
    });
    expect((await test.store.webhooks.getDelivery('delivery-0'))?.revision).toBe(2);
    expect((await test.call('POST', path.replace('-0', '-99'), { as: alice })).status).toBe(404);
  });
});

it('an API with a wrong entry in WEBHOOK_ALLOW does not start', async () => {
  await expect(openTestApi({ env: { WEBHOOK_ALLOW: '127.0.0.1,10.0.0.0/40' } })).rejects.toMatchObject({
    code: 'bad_config',
    message: expect.stringContaining('10.0.0.0/40'),
  });
});
