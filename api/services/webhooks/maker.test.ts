// What hearing of changes costs: how often the store is asked, and that a fault there loses nothing for good.

import { beforeEach, describe, expect, it } from 'vitest';
import { taskChanged } from '../../../shared/model/event.ts';
import type { Task } from '../../../shared/model/task.ts';
import type { Webhook, WebhookDelivery } from '../../../shared/model/webhook.ts';
import { systemClock } from '../../../shared/platform/clock.ts';
import { silentLog } from '../../../shared/platform/log.ts';
import type { Store } from '../../../shared/ports/store.ts';
import { makeTask } from '../../../test/support/tasks.ts';
import { DeliveryMaker } from './maker.ts';
import { OwnerWebhooks } from './owner-webhooks.ts';

const webhook: Webhook = {
  id: 'webhook-1',
  ownerId: 'user-1',
  url: 'http://receiver.example/',
  events: ['completed'],
  createdAt: 0,
};
const ended = (count: number) =>
  Array.from({ length: count }, () => makeTask({}, { state: 'completed', finishedAt: 1_700_000_000_500 }));

let webhooks: Webhook[];
let tasks: Map<string, Task>;
let kept: Map<string, WebhookDelivery>;
/** Calls of the store, with how much was asked for. */
let asked: string[];
let fault: Error | null;
let made: number;
let maker: DeliveryMaker;

beforeEach(() => {
  webhooks = [];
  tasks = new Map();
  kept = new Map();
  asked = [];
  fault = null;
  made = 0;
  const answer = async <T>(what: string, of: () => T): Promise<T> => {
    asked.push(what);
    if (fault) throw fault;
    return of();
  };
  const store = {
    tasks: {
      getMany: (ids: readonly string[]) =>
        answer(`tasks ${ids.length}`, () => ids.flatMap((id) => tasks.get(id) ?? [])),
    },
    webhooks: {
      list: (ownerId: string) => answer('webhooks', () => webhooks.filter((one) => one.ownerId === ownerId)),
      insertDeliveries: (deliveries: readonly WebhookDelivery[]) =>
        answer(`insert ${deliveries.length}`, () => {
          const fresh = deliveries.filter(({ id }) => !kept.has(id));
          for (const one of fresh) kept.set(one.id, one);
          return new Set(fresh.map(({ id }) => id));
        }),
    },
  } as unknown as Pick<Store, 'tasks' | 'webhooks'>;
  const owners = new OwnerWebhooks(store.webhooks, systemClock);
  const onMade = () => {
    made += 1;
  };
  maker = new DeliveryMaker({ store, owners, clock: systemClock, log: silentLog(), onMade });
});

const hear = async (all: readonly Task[]) => {
  for (const task of all) {
    tasks.set(task.id, task);
    maker.hear(taskChanged(task));
  }
  await maker.settle();
};

describe('hearing of changes', () => {
  it('costs one look for an owner without webhooks, however many there are', async () => {
    for (let n = 0; n < 10; n += 1) await hear(ended(100));
    expect(asked).toEqual(['webhooks']);
  });

  it('costs one read and one write for a burst', async () => {
    webhooks = [webhook];
    await hear(ended(400));
    expect(asked).toEqual(['webhooks', 'tasks 400', 'insert 400']);
    expect({ kept: kept.size, made }).toEqual({ kept: 400, made: 1 });
  });

  it('costs nothing for events that no webhook of the owner names', async () => {
    webhooks = [webhook];
    await hear(ended(1));
    asked.length = 0;
    await hear(Array.from({ length: 50 }, () => makeTask()));
    expect(asked).toEqual([]);
  });

  it('does not write again what stands already', async () => {
    webhooks = [webhook];
    const [task] = ended(1);
    if (!task) throw new Error('no task');
    await hear([task, task, task]);
    await hear([task]);
    expect(asked.filter((what) => what.startsWith('insert'))).toEqual(['insert 3']);
    expect({ kept: kept.size, made }).toEqual({ kept: 1, made: 1 });
  });

  it('after a fault of the store goes on with what comes next', async () => {
    webhooks = [webhook];
    fault = new Error('away');
    await hear(ended(3));
    expect(kept.size).toBe(0);
    fault = null;
    await hear(ended(2));
    expect(kept.size).toBe(2);
  });

  it('looks into the record of a task that names a webhook, whoever owns it', async () => {
    const own = { url: 'http://own.example/', events: ['completed'] as const };
    const [task] = ended(1);
    if (!task) throw new Error('no task');
    await hear([{ ...task, spec: { ...task.spec, webhook: own } }]);
    expect([...kept.values()]).toMatchObject([{ webhookId: null, url: own.url, event: 'completed' }]);
  });
});
