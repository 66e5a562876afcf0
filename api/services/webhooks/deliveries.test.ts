import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WebhookPayload } from '../../../shared/contracts/webhooks.ts';
import type { Task } from '../../../shared/model/task.ts';
import { assignTask, finishTask, requestCancel, startTask } from '../../../shared/model/task-life.ts';
import { WEBHOOK_EVENTS, type Webhook, type WebhookDelivery } from '../../../shared/model/webhook.ts';
import { makeTask, taken as moved } from '../../../test/support/tasks.ts';
import { deferred, deliveriesOf, deliveryId, LEASE_MS, redelivered, taken, tried } from './deliveries.ts';

const T = 1_700_000_000_000;
const at = (ms: number) => new Date(T + ms).toISOString();
const hook = (over: Partial<Webhook> = {}): Webhook => ({
  id: 'webhook-1',
  ownerId: 'user-1',
  url: 'http://receiver.example/hook',
  events: [...WEBHOOK_EVENTS],
  createdAt: T,
  ...over,
});
const on = (attempt: number) => ({ attempt, workerId: 'worker-1' });
const assigned = (task: Task, now: number) => moved(assignTask(task, { workerId: 'worker-1', term: 1, now }));
const started = (task: Task, now: number) =>
  moved(startTask(task, { ...on(task.attempt), now, containerId: 'c', imageId: null, gpuIds: [] }));
const finished = (task: Task, now: number, exitCode: number) =>
  moved(
    finishTask(task, {
      ...on(task.attempt),
      now,
      dice: 0,
      outcome:
        exitCode === 0
          ? { kind: 'completed', exitCode, message: null }
          : { kind: 'failed', reason: 'exit_code', exitCode, message: `exited with code ${exitCode}` },
    }),
  );

/** Failed once, then completed. */
function twice(): Task {
  const secret = { env: { KEY: 'hunter2' }, secrets: ['KEY'], name: 'n', tag: 't', maxRetries: 1 };
  const first = finished(started(assigned(makeTask(secret), T + 1), T + 2), T + 3, 1);
  return finished(started(assigned(first, T + 4), T + 5), T + 6, 0);
}

const payloadOf = (telling: Parameters<typeof deliveriesOf>[0]): WebhookPayload | null => {
  const [delivery] = deliveriesOf(telling, [hook()], T + 100);
  return delivery ? JSON.parse(delivery.payload) : null;
};

describe('what is told', () => {
  it('of an end is the end, and neither environment nor command', () => {
    const task = twice();
    const payload = payloadOf({ task, event: 'completed', attempt: 2 });
    expect(payload).toEqual({
      type: 'task.completed',
      timestamp: at(6),
      data: {
        task_id: task.id,
        name: 'n',
        tag: 't',
        user: 'alice',
        docker_image: task.spec.image,
        status: 'completed',
        attempt: 2,
        worker_id: 'worker-1',
        reason: null,
        exit_code: 0,
        message: null,
        submitted_at: at(0),
        started_at: at(5),
        finished_at: at(6),
      },
    });
    expect(JSON.stringify(payload)).not.toMatch(/hunter2|KEY|echo/);
  });

  it('of an earlier state is what was true then, though the record has moved on', () => {
    const task = twice();
    const data = (event: (typeof WEBHOOK_EVENTS)[number], attempt: number) =>
      payloadOf({ task, event, attempt });
    expect(data('queued', 1)).toMatchObject({ timestamp: at(0), data: { worker_id: null, attempt: 1 } });
    expect(data('assigned', 1)).toMatchObject({ timestamp: at(1), data: { started_at: null } });
    expect(data('running', 1)).toMatchObject({
      timestamp: at(2),
      data: {
        status: 'running',
        started_at: at(2),
        finished_at: null,
        exit_code: null,
        worker_id: 'worker-1',
      },
    });
    expect(data('queued', 2)).toMatchObject({ timestamp: at(3), data: { attempt: 2, message: null } });
  });

  it('of a task that waits again says why', () => {
    const task = finished(started(assigned(makeTask({ maxRetries: 1 }), T + 1), T + 2), T + 3, 1);
    expect(payloadOf({ task, event: 'queued', attempt: 2 })).toMatchObject({
      timestamp: at(3),
      data: { message: expect.stringContaining('attempt 1 failed') },
    });
  });

  it('of a task that was cancelled while it waited has no worker', () => {
    const task = moved(requestCancel(makeTask(), { force: false, requestedBy: 'alice', now: T + 9 }));
    expect(payloadOf({ task, event: 'cancelled', attempt: 1 })).toMatchObject({
      timestamp: at(9),
      data: { worker_id: null, started_at: null, finished_at: at(9), message: 'cancelled by alice' },
    });
  });

  it('is nothing when the record does not bear it out', () => {
    const task = twice();
    for (const [event, attempt] of [
      ['failed', 2],
      ['completed', 1],
      ['running', 3],
      ['assigned', 7],
      ['queued', 4],
    ] as const) {
      expect(payloadOf({ task, event, attempt })).toBeNull();
    }
  });
});

describe('who is told', () => {
  it('is every webhook of the owner and of the task that names the event', () => {
    const own = { url: 'http://own.example/', events: ['failed', 'completed'] as const };
    const task = { ...twice(), spec: { ...twice().spec, webhook: own } };
    const hooks = [
      hook(),
      hook({ id: 'webhook-2', events: ['failed'] }),
      hook({ id: 'webhook-3', ownerId: 'user-2' }),
    ];
    const made = deliveriesOf({ task, event: 'completed', attempt: 2 }, hooks, T + 7);
    expect(made.map(({ webhookId, url }) => [webhookId, url])).toEqual([
      ['webhook-1', 'http://receiver.example/hook'],
      [null, 'http://own.example/'],
    ]);
    expect(made[0]).toMatchObject({
      ownerId: 'user-1',
      state: 'pending',
      revision: 1,
      nextAt: T + 7,
      tries: [],
    });
  });

  it('is nobody for a task of an earlier release, which has no field for it', () => {
    const { webhook: _, ...spec } = twice().spec;
    expect(
      deliveriesOf({ task: { ...twice(), spec } as Task, event: 'completed', attempt: 2 }, [], T),
    ).toEqual([]);
  });
});

describe('the id of a delivery', () => {
  const telling = fc.record({
    id: fc.constantFrom('task-a', 'task-b'),
    event: fc.constantFrom(...WEBHOOK_EVENTS),
    attempt: fc.integer({ min: 1, max: 12 }),
    webhookId: fc.constantFrom(null, 'webhook-1', 'webhook-2', 'null'),
  });
  const idOf = ({
    id,
    event,
    attempt,
    webhookId,
  }: {
    id: string;
    event: (typeof WEBHOOK_EVENTS)[number];
    attempt: number;
    webhookId: string | null;
  }) => deliveryId({ task: makeTask({}, { id }), event, attempt }, webhookId);

  it('is the same for the same and different for different', () => {
    fc.assert(
      fc.property(telling, telling, (one, other) => {
        expect(idOf(one) === idOf(other)).toBe(JSON.stringify(one) === JSON.stringify(other));
        expect(idOf(one)).toMatch(/^delivery-[0-9a-f]{32}$/);
      }),
    );
  });
});

describe('a delivery', () => {
  const [fresh] = deliveriesOf({ task: twice(), event: 'completed', attempt: 2 }, [hook()], T);
  const pending = fresh as WebhookDelivery;
  const went = { at: T, tookMs: 5, status: 204, error: null };
  const failed = { at: T, tookMs: 5, status: 500, error: 'the receiver answered 500' };
  const bad = (retryInMs: number | null) => ({ delivered: false, retryInMs, now: T + 10 });
  const good = { delivered: true, retryInMs: null, now: T + 10 };

  it('is kept from others while it is sent', () => {
    expect(taken(pending, T)).toMatchObject({ state: 'pending', nextAt: T + LEASE_MS, revision: 2 });
  });

  it('ends well, is tried again, or ends badly', () => {
    expect(tried(pending, went, good)).toMatchObject({ state: 'delivered', tries: [went], revision: 2 });
    expect(tried(pending, failed, bad(500))).toMatchObject({ state: 'pending', nextAt: T + 510 });
    expect(tried(pending, failed, bad(null))).toMatchObject({ state: 'failed', tries: [failed] });
  });

  it('that went well stays so, whatever a slower try says', () => {
    const delivered = tried(pending, went, good);
    expect(tried(delivered, failed, bad(500))).toMatchObject({ state: 'delivered', tries: [went, failed] });
    expect(tried(delivered, failed, bad(null))).toMatchObject({ state: 'delivered' });
  });

  it('is sent again when asked, from every state', () => {
    for (const one of [pending, tried(pending, went, good), tried(pending, failed, bad(null))]) {
      const again = redelivered(one, T + 99);
      expect(again).toMatchObject({ state: 'pending', nextAt: T + 99, tries: one.tries });
    }
  });

  it('grows by one with every step and never without bound', () => {
    const step = fc.constantFrom<(one: WebhookDelivery) => WebhookDelivery>(
      (one) => taken(one, T),
      (one) => deferred(one, T + 1),
      (one) => redelivered(one, T),
      (one) => tried(one, failed, bad(1)),
      (one) => tried(one, failed, bad(null)),
      (one) => tried(one, went, good),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let one = pending;
        for (const next of steps) {
          const { revision } = one;
          one = next(one);
          expect(one.revision).toBe(revision + 1);
        }
        expect(one.tries.length).toBeLessThanOrEqual(20);
        expect({ ...one, state: 0, tries: 0, nextAt: 0, revision: 0 }).toEqual({
          ...pending,
          state: 0,
          tries: 0,
          nextAt: 0,
          revision: 0,
        });
      }),
    );
  });
});
