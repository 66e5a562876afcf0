// What webhooks, signing secrets and deliveries promise.

import { beforeEach, describe, expect, it } from 'vitest';
import type { Webhook, WebhookDelivery } from '../../../shared/model/webhook.ts';
import type { Store } from '../../../shared/ports/store.ts';
import { startProcess } from './place.ts';
import { ODD_TEXT } from './records.ts';

const makeWebhook = (over: Partial<Webhook> = {}): Webhook => ({
  id: 'hook-1',
  ownerId: 'user-1',
  url: 'https://example.test/a?b=ä',
  events: ['completed', 'failed'],
  createdAt: 5,
  ...over,
});

const makeDelivery = (over: Partial<WebhookDelivery> = {}): WebhookDelivery => ({
  id: 'delivery-1',
  ownerId: 'user-1',
  webhookId: 'hook-1',
  taskId: 'task-1',
  event: 'completed',
  url: 'https://example.test/',
  payload: JSON.stringify({ text: ODD_TEXT }),
  state: 'pending',
  tries: [],
  nextAt: 100,
  revision: 1,
  createdAt: 50,
  ...over,
});

/** The next step of one: a try that went wrong. */
const tried = (delivery: WebhookDelivery, over: Partial<WebhookDelivery> = {}): WebhookDelivery => ({
  ...delivery,
  tries: [...delivery.tries, { at: 1, tookMs: 0.5, status: null, error: ODD_TEXT }],
  nextAt: delivery.nextAt + 1,
  revision: delivery.revision + 1,
  ...over,
});

export function webhooks(stores: () => [Store, Store], url: () => string): void {
  let store: Store;
  let other: Store;
  beforeEach(() => {
    [store, other] = stores();
  });
  const ids = (records: readonly { id: string }[]) => records.map(({ id }) => id);

  describe('webhooks', () => {
    it('come back exact, in order of creation, of their owner alone', async () => {
      const old = makeWebhook({ id: 'hook-b', createdAt: 1 });
      const young = makeWebhook({ id: 'hook-a', createdAt: 2, events: [] });
      const foreign = makeWebhook({ id: 'hook-c', ownerId: 'user-2' });
      for (const webhook of [young, foreign, old]) await store.webhooks.insert(webhook);
      expect(await other.webhooks.list('user-1')).toStrictEqual([old, young]);
      expect(await other.webhooks.list('nobody')).toEqual([]);
      await expect(store.webhooks.insert(old)).rejects.toMatchObject({ code: 'conflict' });
    });

    it('are removed by their owner', async () => {
      await store.webhooks.insert(makeWebhook());
      expect(await other.webhooks.remove('user-2', 'hook-1')).toBe(false);
      expect(await other.webhooks.remove('user-1', 'hook-1')).toBe(true);
      expect(await other.webhooks.remove('user-1', 'hook-1')).toBe(false);
      expect(await store.webhooks.list('user-1')).toEqual([]);
    });
  });

  describe('signing secrets', () => {
    it('are made once, whoever asks first, and stay until they are replaced', async () => {
      const got = await Promise.all(
        Array.from({ length: 8 }, (_, n) =>
          (n % 2 ? store : other).webhooks.signingSecret('user-1', `secret-${n}`),
        ),
      );
      expect(new Set(got).size).toBe(1);
      expect(await other.webhooks.signingSecret('user-2', 'mine')).toBe('mine');
      await store.webhooks.replaceSigningSecret('user-1', 'new');
      expect(await other.webhooks.signingSecret('user-1', 'late')).toBe('new');
      expect(await other.webhooks.signingSecret('user-2', 'late')).toBe('mine');
      await store.webhooks.replaceSigningSecret('user-3', 'given');
      expect(await other.webhooks.signingSecret('user-3', 'late')).toBe('given');
    });
  });

  describe('deliveries', () => {
    it('exist once however often they are made, and come back exact', async () => {
      const [a, b, c] = ['a', 'b', 'c'].map((id) => makeDelivery({ id, webhookId: null }));
      expect(await store.webhooks.insertDeliveries([a!, b!])).toEqual(new Set(['a', 'b']));
      const again = makeDelivery({ id: 'b', url: 'http://other.test/' });
      expect(await other.webhooks.insertDeliveries([again, c!])).toEqual(new Set(['c']));
      expect(await other.webhooks.insertDeliveries([a!, c!])).toEqual(new Set());
      expect(await other.webhooks.insertDeliveries([])).toEqual(new Set());
      for (const one of [a, b, c]) expect(await other.webhooks.getDelivery(one!.id)).toStrictEqual(one);
      expect(await store.webhooks.getDelivery('none')).toBeNull();
    });

    it('are new to one of those who make them at the same moment', async () => {
      const batch = ['a', 'b', 'c', 'd'].map((id) => makeDelivery({ id }));
      const made = await Promise.all(
        Array.from({ length: 6 }, (_, n) =>
          (n % 2 ? store : other).webhooks.insertDeliveries(n % 3 ? batch : batch.toReversed()),
        ),
      );
      expect(made.flatMap((fresh) => [...fresh]).sort()).toEqual(['a', 'b', 'c', 'd']);
    });

    it('are due when pending and their time has come, the longest overdue first', async () => {
      const at = (id: string, nextAt: number, state: WebhookDelivery['state'] = 'pending') =>
        makeDelivery({ id, nextAt, state });
      await store.webhooks.insertDeliveries([
        at('d', 30),
        at('b', 10),
        at('a', 10),
        at('c', 20),
        at('late', 31),
        at('done', 1, 'delivered'),
        at('lost', 1, 'failed'),
      ]);
      expect(ids(await other.webhooks.dueDeliveries(30, 10))).toEqual(['a', 'b', 'c', 'd']);
      expect(ids(await other.webhooks.dueDeliveries(30, 3))).toEqual(['a', 'b', 'c']);
      expect(ids(await other.webhooks.dueDeliveries(9, 10))).toEqual([]);
    });

    it('change over the revision the step was made from, and over no other', async () => {
      const first = makeDelivery();
      await store.webhooks.insertDeliveries([first]);
      const second = tried(first, { nextAt: 500 });
      expect(await store.webhooks.commitDelivery(second)).toBe(true);
      expect(await other.webhooks.getDelivery(first.id)).toStrictEqual(second);
      expect(await other.webhooks.commitDelivery(tried(first))).toBe(false);
      expect(await other.webhooks.commitDelivery({ ...second, revision: 9 })).toBe(false);
      expect(await store.webhooks.commitDelivery(tried(makeDelivery({ id: 'none' })))).toBe(false);
      expect(await store.webhooks.getDelivery('none')).toBeNull();
      expect(ids(await store.webhooks.dueDeliveries(499, 10))).toEqual([]);
      const done = tried(second, { state: 'delivered' });
      expect(await other.webhooks.commitDelivery(done)).toBe(true);
      expect(await store.webhooks.dueDeliveries(10_000, 10)).toEqual([]);
      expect(await store.webhooks.getDelivery(first.id)).toStrictEqual(done);
    });

    it('are taken up by one of several', async () => {
      const all = Array.from({ length: 10 }, (_, n) => makeDelivery({ id: `d${n}` }));
      await store.webhooks.insertDeliveries(all);
      for (const one of all) {
        const steps = [1, 2, 3, 4].map((n) => tried(one, { nextAt: n }));
        const won = await Promise.all(
          steps.map((next, n) => (n % 2 ? store : other).webhooks.commitDelivery(next)),
        );
        expect(won.filter(Boolean)).toHaveLength(1);
        expect(await store.webhooks.getDelivery(one.id)).toStrictEqual(steps[won.indexOf(true)]);
      }
    });

    it('lose no step between processes', async () => {
      const first = makeDelivery({ revision: 1 });
      await store.webhooks.insertDeliveries([first]);
      const times = 30;
      const others = [1, 2].map(() => startProcess('deliver', url(), first.id, String(times)));
      expect(await Promise.all(others.map((one) => one.ended()))).toEqual([0, 0]);
      const seen = await store.webhooks.getDelivery(first.id);
      expect(seen?.revision).toBe(1 + 2 * times);
      expect(seen?.tries).toHaveLength(2 * times);
    });

    it('are listed newest first, of an owner, a task or a webhook, page by page', async () => {
      const all = Array.from({ length: 24 }, (_, n) =>
        makeDelivery({
          id: `d${(n * 7) % 24}`,
          // Several of one moment.
          createdAt: 100 + Math.floor(n / 3),
          taskId: `task-${n % 2}`,
          webhookId: n % 4 === 0 ? null : `hook-${n % 3}`,
          ownerId: n < 20 ? 'user-1' : 'user-2',
        }),
      );
      await store.webhooks.insertDeliveries(all);
      const newest = all.toSorted((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1));
      const filters = [
        { ownerId: 'user-1' },
        { ownerId: 'user-2' },
        { ownerId: 'user-1', taskId: 'task-1' },
        { ownerId: 'user-1', webhookId: 'hook-2' },
        { ownerId: 'user-1', taskId: 'task-1', webhookId: 'hook-1' },
        { ownerId: 'nobody' },
      ];
      for (const filter of filters) {
        const expected = newest.filter(
          (one) =>
            one.ownerId === filter.ownerId &&
            one.taskId === (filter.taskId ?? one.taskId) &&
            one.webhookId === (filter.webhookId ?? one.webhookId),
        );
        for (const limit of [1, 4, 100]) {
          const seen: WebhookDelivery[] = [];
          for (;;) {
            const page = await other.webhooks.listDeliveries(filter, { limit, before: seen.at(-1)?.id });
            expect(page.length).toBeLessThanOrEqual(limit);
            if (page.length === 0) break;
            seen.push(...page);
          }
          expect(seen, JSON.stringify(filter)).toStrictEqual(expected);
        }
      }
      expect(
        await store.webhooks.listDeliveries({ ownerId: 'user-1' }, { limit: 9, before: 'gone' }),
      ).toEqual([]);
    });

    it('that are over and old are dropped, pending ones never', async () => {
      const done = Array.from({ length: 1_050 }, (_, n) =>
        makeDelivery({ id: `old ${n}`, state: n % 2 ? 'delivered' : 'failed', createdAt: 10 }),
      );
      const kept = [
        makeDelivery({ id: 'pending', createdAt: 10 }),
        makeDelivery({ id: 'young', state: 'failed', createdAt: 20 }),
      ];
      await store.webhooks.insertDeliveries([...done, ...kept]);
      await other.webhooks.pruneDeliveries(20);
      const left = await store.webhooks.listDeliveries({ ownerId: 'user-1' }, { limit: 2_000 });
      expect(ids(left)).toEqual(['young', 'pending']);
    });

    it('that are over go with their tasks, pending ones never', async () => {
      await store.webhooks.insertDeliveries([
        makeDelivery({ id: 'delivered', state: 'delivered' }),
        makeDelivery({ id: 'failed', taskId: 'task-2', state: 'failed', ownerId: 'user-2' }),
        makeDelivery({ id: 'pending' }),
        makeDelivery({ id: 'other', taskId: 'task-3', state: 'delivered' }),
      ]);
      await other.webhooks.removeDeliveriesOf(['task-1', 'task-2', 'task-unknown']);
      await other.webhooks.removeDeliveriesOf([]);
      const left = async (ownerId: string) =>
        ids(await store.webhooks.listDeliveries({ ownerId }, { limit: 9 })).sort();
      expect(await left('user-1')).toEqual(['other', 'pending']);
      expect(await left('user-2')).toEqual([]);
    });
  });
}
