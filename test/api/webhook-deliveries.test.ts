// What reaches receivers and when: signatures, ends whose event was lost, several copies of the API.

import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { openSqliteStore } from '../../shared/adapters/sqlite/open.ts';
import type { WebhookPayload } from '../../shared/contracts/webhooks.ts';
import { taskChanged } from '../../shared/model/event.ts';
import type { Task } from '../../shared/model/task.ts';
import { waitFor } from '../support/wait-for.ts';
import { webhookStage } from './webhook-stage.ts';

const stage = webhookStage();
const { openCopy, register, secret, deliveries, delivery, put, tell, own, got, verified, idOf } = stage;

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
      url: stage.receiver.url,
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
    const bob = await stage.test.signUp('bob');
    await stage.test.call('POST', '/api/webhooks', { as: bob, body: { url: `${stage.receiver.url}/bob` } });
    const task = await tell('cancelled', own());
    const [one] = await got(1);
    expect(verified(await secret(), one!).data.task_id).toBe(task.id);
    expect(await delivery('delivered', 'the delivery')).toMatchObject({ webhook_id: null });
    expect(stage.receiver.got.map(({ path }) => path)).toEqual(['/hook']);
  });

  it('is told once, however often it is heard', async () => {
    await register();
    const task = await tell('completed');
    await got(1);
    for (let n = 0; n < 5; n += 1) await stage.test.redis.bus.publish(taskChanged(task));
    await tell('failed');
    await got(2);
    expect(stage.receiver.got.map(idOf)).toHaveLength(2);
    expect(await deliveries()).toHaveLength(2);
  });

  it('that the record does not bear out is not told', async () => {
    await register();
    const running = await put('running');
    await stage.test.redis.bus.publish({ ...taskChanged(running), state: 'completed' });
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
      const told = stage.receiver.got.map(({ text }) => JSON.parse(text).data.task_id);
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
      await stage.test.redis.bus.publish({ ...taskChanged(task), state });
    }
    const types = (await got(2)).map(({ text }) => JSON.parse(text).type);
    expect(types.sort()).toEqual(['task.queued', 'task.running']);
  });

  it('of a submission are told too', async () => {
    await register(['queued', 'cancelled']);
    const { body } = await stage.test.call<{ task_id: string }>('POST', '/api/tasks', {
      as: stage.alice,
      body: { docker_image: 'ubuntu:latest' },
    });
    await got(1);
    await stage.test.call('POST', `/api/tasks/${body.task_id}/cancel`, { as: stage.alice });
    const told = (await got(2)).map(({ text }) => JSON.parse(text) as WebhookPayload);
    expect(told.map(({ type }) => type)).toEqual(['task.queued', 'task.cancelled']);
    expect(told.every(({ data }) => data.task_id === body.task_id)).toBe(true);
  });
});

describe('a webhook', () => {
  it('that was deleted gets nothing more, not even what is waiting', async () => {
    const webhook = await register();
    stage.receiver.react((reply) => reply.writeHead(503, { 'retry-after': '3600' }).end());
    await tell('completed');
    const waiting = await waitFor(async () => (await deliveries()).find(({ tries }) => tries.length > 0), {
      what: 'the first try',
    });
    await stage.test.call('DELETE', `/api/webhooks/${webhook.webhook_id}`, { as: stage.alice });
    await stage.test.call('POST', `/api/webhooks/deliveries/${waiting.delivery_id}/redeliver`, {
      as: stage.alice,
    });
    const { tries } = await delivery('failed', 'the delivery to end');
    expect(tries.at(-1)).toMatchObject({ status: null, error: 'not sent: the webhook was deleted' });
    expect(stage.receiver.got).toHaveLength(1);
  });

  it('is signed with the new secret once that was rotated, retries too', async () => {
    await register();
    const before = await secret();
    stage.receiver.react((reply) => reply.writeHead(401, { 'retry-after': '3600' }).end(), 200);
    await tell('completed');
    const waiting = await waitFor(async () => (await deliveries()).find(({ tries }) => tries.length > 0), {
      what: 'the first try',
    });
    await stage.test.call('POST', '/api/webhooks/signing-secret/rotate', { as: stage.alice });
    await stage.test.call('POST', `/api/webhooks/deliveries/${waiting.delivery_id}/redeliver`, {
      as: stage.alice,
    });
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
      expect(new Set(stage.receiver.got.map(idOf)).size).toBe(40);
      expect(stage.receiver.got).toHaveLength(40);
    } finally {
      for (const copy of copies) await copy.close();
    }
  });

  it('send what one of them was sending when it died, when its lease is over', async () => {
    await register();
    await tell('completed');
    const done = await delivery('delivered', 'the delivery');
    const record = (await stage.test.store.webhooks.getDelivery(done.delivery_id))!;
    const orphan = {
      ...record,
      id: 'delivery-orphan',
      state: 'pending' as const,
      tries: [],
      // Taken by somebody who is gone.
      nextAt: Date.now() + 300,
      revision: 2,
    };
    await stage.test.store.webhooks.insertDeliveries([orphan]);
    const all = await got(2);
    expect(idOf(all[1]!)).toBe('delivery-orphan');
    expect(Date.now()).toBeGreaterThanOrEqual(orphan.nextAt);
  });
});

it('stopping does not wait for a receiver that does not answer, and leaves it to the lease', async () => {
  await register();
  stage.receiver.react(() => undefined);
  await tell('completed');
  await got(1);
  const copy = await openSqliteStore(`${stage.test.config.dataDir}/cloudai.db`);
  await stage.test.api.stop();
  const [left] = await copy.webhooks.listDeliveries({ ownerId: stage.alice.id }, { limit: 1 });
  expect(left).toMatchObject({ state: 'pending', tries: [] });
  expect(left?.nextAt).toBeGreaterThan(Date.now());
  await copy.close();
});
