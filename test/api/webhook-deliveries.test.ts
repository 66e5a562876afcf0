// What reaches receivers and when: signatures, retries, ends whose event was lost, several copies of the API, and
// receivers that misbehave. Tasks are moved as a runner would: in the store first, then on the bus.

import { createHmac } from 'node:crypto';
import { Webhook as Verifier } from 'standardwebhooks';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Api, createApi } from '../../api/server.ts';
import type { WebhookPace } from '../../api/services/webhooks/engine.ts';
import type { ApiParts } from '../../api/services.ts';
import { openSqliteStore } from '../../shared/adapters/sqlite/open.ts';
import type {
  DeliveryBody,
  DeliveryListReply,
  SigningSecretReply,
  WebhookBody,
  WebhookPayload,
} from '../../shared/contracts/webhooks.ts';
import { taskChanged } from '../../shared/model/event.ts';
import type { Task, TaskSpec, TaskState } from '../../shared/model/task.ts';
import { DEFAULT_WEBHOOK_EVENTS, type WebhookEvent } from '../../shared/model/webhook.ts';
import { type Got, type Receiver, startReceiver } from '../support/receiver.ts';
import { makeTask } from '../support/tasks.ts';
import { waitFor } from '../support/wait-for.ts';
import { openTestApi, type Person, type TestApi } from './harness.ts';

/** Looks often and tries again at once; sweeps only where a test asks for it. */
const PACE: Partial<WebhookPace> = {
  pollMs: 20,
  sweepMs: 3_600_000,
  deadlineMs: 10_000,
  retryDelayMs: (failures) => (failures < 4 ? 5 : null),
};

let receiver: Receiver;
let test: TestApi;
let parts: ApiParts;
let alice: Person;

const open = async (pace: Partial<WebhookPace> = {}) => {
  await test?.close();
  test = await openTestApi({
    env: { WEBHOOK_ALLOW: '127.0.0.1' },
    parts: (given) => {
      parts = { ...given, webhookPace: { ...PACE, ...pace } };
      return parts;
    },
  });
  alice = await test.signUp('alice');
};

beforeEach(async () => {
  receiver = await startReceiver();
  await open();
});
afterEach(async () => {
  await test.close();
  await receiver.close();
});

const register = async (events?: WebhookEvent[], url = receiver.url): Promise<WebhookBody> => {
  const reply = await test.call<WebhookBody>('POST', '/api/webhooks', { as: alice, body: { url, events } });
  expect(reply.status).toBe(201);
  return reply.body;
};
const secret = async () =>
  (await test.call<SigningSecretReply>('GET', '/api/webhooks/signing-secret', { as: alice })).body
    .signing_secret;
const deliveries = async (query = '') =>
  (await test.call<DeliveryListReply>('GET', `/api/webhooks/deliveries${query}`, { as: alice })).body
    .deliveries;
const delivery = (state: DeliveryBody['state'], what: string, query = '') =>
  waitFor(async () => (await deliveries(query)).find((one) => one.state === state), { what });

/** A task of alice's in that state, in the store; nobody has heard of it. */
async function put(state: TaskState, spec: Partial<TaskSpec> = {}, over: Partial<Task> = {}): Promise<Task> {
  const now = Date.now();
  const ended = ['completed', 'failed', 'cancelled'].includes(state);
  const placed = state !== 'queued';
  const base = makeTask(spec, {
    ownerId: alice.id,
    state,
    submittedAt: now,
    workerId: placed ? 'worker-1' : null,
    exitCode: state === 'completed' ? 0 : null,
    assignedAt: placed ? now : null,
    startedAt: state === 'running' || ended ? now : null,
    finishedAt: ended ? now : null,
    attempts: placed
      ? [
          {
            number: 1,
            state,
            workerId: 'worker-1',
            term: 1,
            notBefore: 0,
            assignedAt: now,
            startedAt: state === 'assigned' ? null : now,
            finishedAt: ended ? now : null,
            reason: null,
            exitCode: null,
            message: null,
            containerId: null,
            imageId: null,
            gpuIds: [],
            eviction: null,
            usage: null,
            usageSeries: null,
            progress: null,
            outputs: null,
          },
        ]
      : [],
    ...over,
  });
  await test.store.tasks.insert([base]);
  return base;
}

/** The same, and told on the bus. */
async function tell(state: TaskState, spec: Partial<TaskSpec> = {}): Promise<Task> {
  const task = await put(state, spec);
  await test.redis.bus.publish(taskChanged(task));
  return task;
}

const own = (events: WebhookEvent[] = [...DEFAULT_WEBHOOK_EVENTS]) => ({
  webhook: { url: receiver.url, events },
});
const got = (count: number) =>
  waitFor(() => (receiver.got.length >= count ? receiver.got : null), { what: `${count} requests` });
const verified = (key: string, { text, headers }: Got) =>
  new Verifier(key).verify(text, headers as Record<string, string>) as WebhookPayload;
const idOf = ({ headers }: Got) => String(headers['webhook-id']);

describe('an end', () => {
  it('reaches the webhook of its owner, signed, and is shown as delivered', async () => {
    const webhook = await register();
    const task = await tell('completed', { env: { KEY: 'hunter2' }, secrets: ['KEY'], name: 'mine' });
    const [one] = await got(1);
    expect(verified(await secret(), one!)).toMatchObject({
      type: 'task.completed',
      timestamp: new Date(task.finishedAt ?? 0).toISOString(),
      data: { task_id: task.id, name: 'mine', status: 'completed', exit_code: 0, worker_id: 'worker-1' },
    });
    expect(one?.text).not.toMatch(/hunter2|KEY/);
    const shown = await delivery('delivered', 'the delivery to be recorded');
    expect(shown).toMatchObject({
      delivery_id: idOf(one!),
      webhook_id: webhook.webhook_id,
      task_id: task.id,
      event: 'completed',
      url: receiver.url,
      next_try_at: null,
      tries: [{ status: 200, error: null }],
    });
    expect(shown.tries[0]?.took_ms).toBeGreaterThanOrEqual(0);
  });

  it('has a signature that follows from the formula of the specification', async () => {
    await register();
    await tell('failed');
    const [one] = await got(1);
    const key = Buffer.from((await secret()).replace('whsec_', ''), 'base64');
    const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signature } = one!.headers;
    const digest = createHmac('sha256', key).update(`${id}.${at}.${one!.text}`).digest('base64');
    expect(signature).toBe(`v1,${digest}`);
  });

  it('reaches the webhook the task names, and nobody else’s', async () => {
    const bob = await test.signUp('bob');
    await test.call('POST', '/api/webhooks', { as: bob, body: { url: `${receiver.url}/bob` } });
    const task = await tell('cancelled', own());
    const [one] = await got(1);
    expect(verified(await secret(), one!).data.task_id).toBe(task.id);
    expect(await delivery('delivered', 'the delivery')).toMatchObject({ webhook_id: null });
    expect(receiver.got.map(({ path }) => path)).toEqual(['/hook']);
  });

  it('is told once, however often it is heard', async () => {
    await register();
    const task = await tell('completed');
    await got(1);
    for (let n = 0; n < 5; n += 1) await test.redis.bus.publish(taskChanged(task));
    await tell('failed');
    await got(2);
    expect(receiver.got.map(idOf)).toHaveLength(2);
    expect(await deliveries()).toHaveLength(2);
  });

  it('that the record does not bear out is not told', async () => {
    await register();
    const running = await put('running');
    await test.redis.bus.publish({ ...taskChanged(running), state: 'completed' });
    const real = await tell('completed');
    expect(JSON.parse((await got(1))[0]?.text ?? '').data.task_id).toBe(real.id);
    expect(await deliveries()).toHaveLength(1);
  });

  it('whose event was lost is found in the store, if the webhook was there by then', async () => {
    await put('completed', own(), { finishedAt: Date.now() - 20 * 60_000 });
    await put('completed', {}, { finishedAt: Date.now() - 60_000 });
    const webhook = await register();
    const lost = [await put('failed'), await put('completed', own(['completed'])), await put('cancelled')];
    await put('running', own(['running']));
    // Another copy of the API comes up.
    const copy = await openCopy({ sweepMs: 50 });
    try {
      await got(4);
      // A later end is found by a later look.
      const later = await put('failed');
      await got(5);
      const told = receiver.got.map(({ text }) => JSON.parse(text).data.task_id);
      expect(told.sort()).toEqual([...lost.map(({ id }) => id), lost[1]!.id, later.id].sort());
      expect(await deliveries(`?webhook=${webhook.webhook_id}`)).toHaveLength(4);
    } finally {
      await copy.close();
    }
  });
});

describe('other states', () => {
  it('are told to those who asked for them, as they were', async () => {
    await register(['queued', 'running']);
    const task = await put('running');
    for (const state of ['queued', 'assigned', 'running'] as const) {
      await test.redis.bus.publish({ ...taskChanged(task), state });
    }
    const types = (await got(2)).map(({ text }) => JSON.parse(text).type);
    expect(types.sort()).toEqual(['task.queued', 'task.running']);
  });

  it('of a submission are told too', async () => {
    await register(['queued', 'cancelled']);
    const { body } = await test.call<{ task_id: string }>('POST', '/api/tasks', {
      as: alice,
      body: { docker_image: 'ubuntu:latest' },
    });
    await got(1);
    await test.call('POST', `/api/tasks/${body.task_id}/cancel`, { as: alice });
    const told = (await got(2)).map(({ text }) => JSON.parse(text) as WebhookPayload);
    expect(told.map(({ type }) => type)).toEqual(['task.queued', 'task.cancelled']);
    expect(told.every(({ data }) => data.task_id === body.task_id)).toBe(true);
  });
});

describe('a receiver', () => {
  it('that fails twice gets it a third time: same id, fresh signature', async () => {
    await register();
    receiver.react(500, 503, 200);
    await tell('completed');
    const all = await got(3);
    expect(new Set(all.map(idOf)).size).toBe(1);
    const key = await secret();
    for (const one of all) expect(verified(key, one).type).toBe('task.completed');
    const { tries } = await delivery('delivered', 'the delivery');
    expect(tries.map(({ status, error }) => [status, error])).toEqual([
      [500, 'the receiver answered 500'],
      [503, 'the receiver answered 503'],
      [200, null],
    ]);
  });

  it('that never takes it is given up, and gets it again when asked', async () => {
    await register();
    receiver.react(500);
    await tell('completed');
    const failed = await delivery('failed', 'the tries to be used up');
    expect(failed.tries).toHaveLength(4);
    expect(failed.next_try_at).toBeNull();
    receiver.react(200);
    const again = await test.call<DeliveryBody>(
      'POST',
      `/api/webhooks/deliveries/${failed.delivery_id}/redeliver`,
      { as: alice },
    );
    expect(again).toMatchObject({ status: 202, body: { state: 'pending' } });
    const all = await got(5);
    expect(idOf(all[4]!)).toBe(failed.delivery_id);
    expect((await delivery('delivered', 'the delivery')).tries).toHaveLength(5);
    // Once more, though it went well.
    await test.call('POST', `/api/webhooks/deliveries/${failed.delivery_id}/redeliver`, { as: alice });
    await got(6);
  });

  it('that says 410 hears no more of it', async () => {
    await register();
    receiver.react(410);
    await tell('completed');
    expect((await delivery('failed', 'the delivery to end')).tries).toMatchObject([{ status: 410 }]);
    expect(receiver.got).toHaveLength(1);
  });

  it('that says when to come back is left alone until then', async () => {
    await register();
    receiver.react((reply) => reply.writeHead(429, { 'retry-after': '3600' }).end());
    const before = Date.now();
    await tell('completed');
    const waiting = await waitFor(async () => (await deliveries()).find(({ tries }) => tries.length > 0), {
      what: 'the first try',
    });
    expect(waiting.state).toBe('pending');
    const inMs = Date.parse(waiting.next_try_at ?? '') - before;
    expect(inMs).toBeGreaterThanOrEqual(3_600_000);
    expect(inMs).toBeLessThan(3_700_000);
  });

  it('that does not answer is given up for now and tried again', async () => {
    await open({ deadlineMs: 500 });
    await register();
    receiver.react(() => undefined, 200);
    await tell('completed');
    // On a busy machine an answer can be late once more.
    const { tries } = await delivery('delivered', 'a later try');
    expect(tries[0]).toMatchObject({ status: null, error: 'no answer within 0.5 s' });
    expect(tries.length).toBeGreaterThan(1);
    expect(tries.at(-1)).toMatchObject({ status: 200 });
  });

  it('that does not answer keeps nobody else waiting, however much there is for it', async () => {
    await open({ deadlineMs: 60_000 });
    receiver.react((reply, { path }) => {
      if (path !== '/slow') reply.writeHead(200).end();
    });
    const now = Date.now();
    const slow = receiver.url.replace('/hook', '/slow');
    await test.store.webhooks.insertDeliveries(
      Array.from({ length: 700 }, (_, n) => ({
        id: `delivery-slow-${n}`,
        ownerId: 'user-of-the-slow',
        webhookId: null,
        taskId: 'task-1',
        event: 'completed' as const,
        url: slow,
        payload: '{}',
        state: 'pending' as const,
        tries: [],
        nextAt: now - 10_000,
        revision: 1,
        createdAt: now,
      })),
    );
    const slowOnes = () => receiver.got.filter(({ path }) => path === '/slow').length;
    await waitFor(() => slowOnes() === 2, { what: 'two to be under way to the slow one' });
    // The same machine under another name is another receiver.
    await register(undefined, receiver.url.replace('127.0.0.1', 'localhost'));
    await tell('completed');
    await waitFor(() => receiver.got.some(({ path }) => path === '/hook'), { what: 'the other’s delivery' });
    expect(slowOnes()).toBe(2);
  });

  it('by a name that leads to loopback gets nothing, and the delivery says why', async () => {
    await open({
      resolve: (_name, _options, callback) => callback(null, [{ address: '127.0.0.2', family: 4 }]),
    });
    await register(undefined, `http://receiver.example:${receiver.port}/`);
    await tell('completed');
    expect((await delivery('failed', 'the refusal')).tries).toMatchObject([
      {
        status: null,
        error: expect.stringMatching(/receiver.example leads to 127.0.0.2, a loopback address/),
      },
    ]);
  });
});

describe('a webhook', () => {
  it('that was deleted gets nothing more, not even what is waiting', async () => {
    const webhook = await register();
    receiver.react((reply) => reply.writeHead(503, { 'retry-after': '3600' }).end());
    await tell('completed');
    const waiting = await waitFor(async () => (await deliveries()).find(({ tries }) => tries.length > 0), {
      what: 'the first try',
    });
    await test.call('DELETE', `/api/webhooks/${webhook.webhook_id}`, { as: alice });
    await test.call('POST', `/api/webhooks/deliveries/${waiting.delivery_id}/redeliver`, { as: alice });
    const { tries } = await delivery('failed', 'the delivery to end');
    expect(tries.at(-1)).toMatchObject({ status: null, error: 'not sent: the webhook was deleted' });
    expect(receiver.got).toHaveLength(1);
  });

  it('is signed with the new secret once that was rotated, retries too', async () => {
    await register();
    const before = await secret();
    receiver.react((reply) => reply.writeHead(401, { 'retry-after': '3600' }).end(), 200);
    await tell('completed');
    const waiting = await waitFor(async () => (await deliveries()).find(({ tries }) => tries.length > 0), {
      what: 'the first try',
    });
    await test.call('POST', '/api/webhooks/signing-secret/rotate', { as: alice });
    await test.call('POST', `/api/webhooks/deliveries/${waiting.delivery_id}/redeliver`, { as: alice });
    const [first, second] = await got(2);
    const after = await secret();
    expect(verified(before, first!)).toEqual(verified(after, second!));
    expect(() => verified(after, first!)).toThrow();
  });
});

describe('several copies of the API', () => {
  it('tell everything once', async () => {
    const copies = [await openCopy(), await openCopy()];
    try {
      await register();
      const tasks: Task[] = [];
      for (let n = 0; n < 30; n += 1) tasks.push(await tell('completed', n % 3 === 0 ? own() : {}));
      await got(40);
      await waitFor(
        async () => (await deliveries('?limit=100')).every(({ state }) => state === 'delivered'),
        { what: 'all to be delivered' },
      );
      const all = await deliveries('?limit=100');
      expect(all).toHaveLength(40);
      expect(all.every(({ tries }) => tries.length === 1)).toBe(true);
      expect(new Set(receiver.got.map(idOf)).size).toBe(40);
      expect(receiver.got).toHaveLength(40);
    } finally {
      for (const copy of copies) await copy.close();
    }
  });

  it('send what one of them was sending when it died, when its lease is over', async () => {
    await register();
    await tell('completed');
    const done = await delivery('delivered', 'the delivery');
    const record = (await test.store.webhooks.getDelivery(done.delivery_id))!;
    const orphan = {
      ...record,
      id: 'delivery-orphan',
      state: 'pending' as const,
      tries: [],
      // Taken by somebody who is gone.
      nextAt: Date.now() + 300,
      revision: 2,
    };
    await test.store.webhooks.insertDeliveries([orphan]);
    const all = await got(2);
    expect(idOf(all[1]!)).toBe('delivery-orphan');
    expect(Date.now()).toBeGreaterThanOrEqual(orphan.nextAt);
  });
});

it('stopping does not wait for a receiver that does not answer, and leaves it to the lease', async () => {
  await register();
  receiver.react(() => undefined);
  await tell('completed');
  await got(1);
  const copy = await openSqliteStore(`${test.config.dataDir}/cloudai.db`);
  await test.api.stop();
  const [left] = await copy.webhooks.listDeliveries({ ownerId: alice.id }, { limit: 1 });
  expect(left).toMatchObject({ state: 'pending', tries: [] });
  expect(left?.nextAt).toBeGreaterThan(Date.now());
  await copy.close();
});

/** Another process's view: its own connection to the store, its own subscription. */
async function openCopy(pace: Partial<WebhookPace> = {}): Promise<{ close(): Promise<void> }> {
  const store = await openSqliteStore(`${test.config.dataDir}/cloudai.db`);
  const api: Api = await createApi({ ...parts, store, webhookPace: { ...PACE, ...pace } });
  return {
    close: async () => {
      await api.stop();
      await store.close();
    },
  };
}
