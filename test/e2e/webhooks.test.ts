// Webhooks from end to end: a container ends, and a receiver is told so with a signature that holds.

import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openSqliteStore } from '../../shared/adapters/sqlite/open.ts';
import type {
  DeliveryListReply,
  SigningSecretReply,
  WebhookBody,
  WebhookPayload,
} from '../../shared/contracts/webhooks.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';
import { TEST_IMAGE } from '../support/servers.ts';
import { waitFor } from '../support/wait-for.ts';

let cluster: Cluster;
let receiver: Receiver;

beforeAll(async () => {
  receiver = await startReceiver();
  cluster = await startCluster({ env: { WEBHOOK_ALLOW: `127.0.0.1:${receiver.port}` } });
  await cluster.signIn('alice');
});
afterAll(async () => {
  await cluster?.stop();
  await receiver?.close();
});

it('a task tells its own webhook and that of its owner of what became of it', async () => {
  const registered = await cluster.call<WebhookBody>('POST', '/api/webhooks', {
    url: `${receiver.url}/all`,
    events: ['running', 'failed'],
  });
  expect(registered.status).toBe(201);
  const { body } = await cluster.call<SigningSecretReply>('GET', '/api/webhooks/signing-secret');
  const task = { docker_image: TEST_IMAGE, memory_required: 64, cpu_required: 0.5 };
  const good = await cluster.submit({ ...task, command: 'echo hi', webhook: { url: receiver.url } });
  const bad = await cluster.submit({ ...task, command: 'exit 3', name: 'bad' });

  // The good one: its end. Both: that they ran. The bad one: its end.
  await waitFor(() => receiver.got.length >= 4, { what: 'four requests', deadlineMs: 60_000 });
  const verifier = new Webhook(body.signing_secret);
  const told = receiver.got.map(({ path, text, headers }) => ({
    path,
    ...(verifier.verify(text, headers as Record<string, string>) as WebhookPayload),
  }));
  const of = (id: string) => told.filter(({ data }) => data.task_id === id);
  const everything = of(good.task_id).map(({ path, type }) => `${path} ${type}`);
  expect(everything.sort()).toEqual(['/hook task.completed', '/hook/all task.running']);
  expect(of(good.task_id).find(({ type }) => type === 'task.completed')?.data).toMatchObject({
    exit_code: 0,
    user: 'alice',
    docker_image: TEST_IMAGE,
    attempt: 1,
  });
  expect(of(bad.task_id).find(({ type }) => type === 'task.failed')?.data).toMatchObject({
    name: 'bad',
    reason: 'exit_code',
    exit_code: 3,
  });
  await waitFor(
    async () => {
      const reply = await cluster.call<DeliveryListReply>('GET', '/api/webhooks/deliveries');
      const { deliveries } = reply.body;
      return deliveries.length === 4 && deliveries.every(({ state }) => state === 'delivered');
    },
    { what: 'four deliveries to be recorded' },
  );
});

it('an API that was away when a task ended tells of it when it is back', async () => {
  receiver.got.length = 0;
  const { task_id } = await cluster.submit({
    docker_image: TEST_IMAGE,
    memory_required: 64,
    cpu_required: 0.5,
    command: 'sleep 1',
    webhook: { url: receiver.url },
  });
  await cluster.until(task_id, ['running']);
  await cluster.api.end('SIGKILL');
  // The runner commits the end while nobody listens.
  const store = await openSqliteStore(`${cluster.dataDir}/cloudai.db`);
  await waitFor(async () => (await store.tasks.get(task_id))?.state === 'completed', {
    what: 'the end to stand in the store',
    deadlineMs: 30_000,
  });
  await store.close();
  cluster.api.start();
  // That it ran, the other webhook may have heard before.
  const one = await waitFor(() => receiver.got.find(({ path }) => path === '/hook'), {
    what: 'the end to be told',
    deadlineMs: 30_000,
  });
  expect(JSON.parse(one.text)).toMatchObject({ type: 'task.completed', data: { task_id } });
});
