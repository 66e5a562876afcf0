// Receivers that misbehave: what is tried again and when, what is given up, and who waits for them.

import { describe, expect, it } from 'vitest';
import type { DeliveryBody } from '../../shared/contracts/webhooks.ts';
import { waitFor } from '../support/wait-for.ts';
import { webhookStage } from './webhook-stage.ts';

const stage = webhookStage();
const { open, register, secret, deliveries, delivery, tell, got, verified, idOf } = stage;

describe('a receiver', () => {
  it('that fails twice gets it a third time: same id, fresh signature', async () => {
    await register();
    stage.receiver.react(500, 503, 200);
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
    stage.receiver.react(500);
    await tell('completed');
    const failed = await delivery('failed', 'the tries to be used up');
    expect(failed.tries).toHaveLength(4);
    expect(failed.next_try_at).toBeNull();
    stage.receiver.react(200);
    const again = await stage.test.call<DeliveryBody>(
      'POST',
      `/api/webhooks/deliveries/${failed.delivery_id}/redeliver`,
      { as: stage.alice },
    );
    expect(again).toMatchObject({ status: 202, body: { state: 'pending' } });
    const all = await got(5);
    expect(idOf(all[4]!)).toBe(failed.delivery_id);
    expect((await delivery('delivered', 'the delivery')).tries).toHaveLength(5);
    // Once more, though it went well.
    await stage.test.call('POST', `/api/webhooks/deliveries/${failed.delivery_id}/redeliver`, {
      as: stage.alice,
    });
    await got(6);
  });

  it('that says 410 hears no more of it', async () => {
    await register();
    stage.receiver.react(410);
    await tell('completed');
    expect((await delivery('failed', 'the delivery to end')).tries).toMatchObject([{ status: 410 }]);
    expect(stage.receiver.got).toHaveLength(1);
  });

  it('that says when to come back is left alone until then', async () => {
    await register();
    stage.receiver.react((reply) => reply.writeHead(429, { 'retry-after': '3600' }).end());
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
    stage.receiver.react(() => undefined, 200);
    await tell('completed');
    // On a busy machine an answer can be late once more.
    const { tries } = await delivery('delivered', 'a later try');
    expect(tries[0]).toMatchObject({ status: null, error: 'no answer within 0.5 s' });
    expect(tries.length).toBeGreaterThan(1);
    expect(tries.at(-1)).toMatchObject({ status: 200 });
  });

  it('that does not answer keeps nobody else waiting, however much there is for it', async () => {
    await open({ deadlineMs: 60_000 });
    stage.receiver.react((reply, { path }) => {
      if (path !== '/slow') reply.writeHead(200).end();
    });
    const now = Date.now();
    const slow = stage.receiver.url.replace('/hook', '/slow');
    await stage.test.store.webhooks.insertDeliveries(
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
    const slowOnes = () => stage.receiver.got.filter(({ path }) => path === '/slow').length;
    await waitFor(() => slowOnes() === 2, { what: 'two to be under way to the slow one' });
    // The same machine under another name is another receiver.
    await register(undefined, stage.receiver.url.replace('127.0.0.1', 'localhost'));
    await tell('completed');
    await waitFor(() => stage.receiver.got.some(({ path }) => path === '/hook'), {
      what: 'the other’s delivery',
    });
    expect(slowOnes()).toBe(2);
  });

  it('by a name that leads to loopback gets nothing, and the delivery says why', async () => {
    await open({
      resolve: (_name, _options, callback) => callback(null, [{ address: '127.0.0.2', family: 4 }]),
    });
    await register(undefined, `http://receiver.example:${stage.receiver.port}/`);
    await tell('completed');
    expect((await delivery('failed', 'the refusal')).tries).toMatchObject([
      {
        status: null,
        error: expect.stringMatching(/receiver.example leads to 127.0.0.2, a loopback address/),
      },
    ]);
  });
});
