// An API with a receiver beside it, for each test of a file. Tasks are moved as a runner would: in the store first, then
// on the bus.

import { Webhook as Verifier } from 'standardwebhooks';
import { afterEach, beforeEach, expect } from 'vitest';
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
import { makeAttempt, makeTask } from '../support/tasks.ts';
import { waitFor } from '../support/wait-for.ts';
import { openTestApi, type Person, type TestApi } from './harness.ts';

/** Looks often and tries again at once; sweeps only where a test asks for it. */
const PACE: Partial<WebhookPace> = {
  pollMs: 20,
  sweepMs: 3_600_000,
  deadlineMs: 10_000,
  retryDelayMs: (failures) => (failures < 4 ? 5 : null),
};

export function webhookStage() {
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
  async function put(
    state: TaskState,
    spec: Partial<TaskSpec> = {},
    over: Partial<Task> = {},
  ): Promise<Task> {
    const now = Date.now();
    const ended = ['completed', 'failed', 'cancelled'].includes(state);
    const placed = state !== 'queued';
    const times = {
      assignedAt: now,
      startedAt: state === 'running' || ended ? now : null,
      finishedAt: ended ? now : null,
    };
    const base = makeTask(spec, {
      ownerId: alice.id,
      state,
      submittedAt: now,
      workerId: placed ? 'worker-1' : null,
      exitCode: state === 'completed' ? 0 : null,
      ...times,
      assignedAt: placed ? now : null,
      attempts: placed ? [makeAttempt({ ...times, state })] : [],
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

  return {
    get receiver() {
      return receiver;
    },
    get test() {
      return test;
    },
    get alice() {
      return alice;
    },
    ...{ open, openCopy, register, secret, deliveries, delivery, put, tell, own, got, verified, idOf },
  };
}
