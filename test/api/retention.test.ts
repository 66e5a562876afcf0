// Tasks that were kept long enough go with all that belongs to them, and with nothing else, wherever it is cut off.

import { readdir } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Retention, type RetentionParts } from '../../api/services/retention.ts';
import type { TaskBody } from '../../shared/contracts/http.ts';
import type { TelemetryReply } from '../../shared/contracts/workers.ts';
import type { FileRecord } from '../../shared/model/file.ts';
import type { Task } from '../../shared/model/task.ts';
import type { WebhookDelivery } from '../../shared/model/webhook.ts';
import { newId } from '../../shared/platform/ids.ts';
import { silentLog } from '../../shared/platform/log.ts';
import type { FileStore } from '../../shared/ports/file-store.ts';
import { makeTask } from '../support/tasks.ts';
import { waitFor } from '../support/wait-for.ts';
import { openTestApi, type Person, type TestApi } from './harness.ts';

const DAY_MS = 86_400_000;
const NOW = 1_800_000_000_000;
const KEPT_MS = 30 * DAY_MS;
const OLD = NOW - KEPT_MS - 1;

let test: TestApi;
let files: FileStore;
let alice: Person;

const open = async (env: Record<string, string> = {}) => {
  test = await openTestApi({
    env,
    parts: (parts) => {
      files = parts.files;
      return { purgeEveryMs: 20 };
    },
  });
  alice = await test.signUp('alice');
};

beforeEach(() => open());
afterEach(() => test.close());

const partsOf = (over: Partial<RetentionParts> = {}): RetentionParts => ({
  tasks: test.store.tasks,
  records: test.store.files,
  webhooks: test.store.webhooks,
  logs: test.logs,
  files,
  traces: test.redis.traces,
  keptMs: KEPT_MS,
  clock: { now: () => NOW, monotonic: () => performance.now() },
  log: silentLog(),
  ...over,
});

const keepFile = async (of: Pick<FileRecord, 'taskId' | 'attempt' | 'path'>): Promise<FileRecord> => {
  const id = newId('file');
  const written = await files.write(id, Readable.from([Buffer.from('bytes')]), { maxBytes: 100 });
  const record = { ...of, ...written, id, ownerId: alice.id, contentType: 'text/plain', createdAt: 1 };
  await test.store.files.put([record]);
  return record;
};

const deliveryOf = (task: Task): WebhookDelivery => ({
  id: `delivery-${task.id}`,
  ownerId: task.ownerId,
  webhookId: null,
  taskId: task.id,
  event: 'completed',
  url: 'https://example.test/',
  payload: '{}',
  state: 'delivered',
  tries: [],
  nextAt: 1,
  revision: 1,
  createdAt: OLD,
});

/** A task of two attempts that left output and files, and was told of. */
const leave = async (over: Partial<Task> = {}): Promise<Task> => {
  const own = { ownerId: alice.id, ownerName: 'alice' };
  const task = makeTask({}, { ...own, state: 'completed', finishedAt: OLD, attempt: 2, ...over });
  await test.store.tasks.insert([task]);
  for (const attempt of [1, 2]) {
    await test.logs.append(task.id, attempt, [{ seq: 1, ts: 1, stream: 'stdout', line: 'hello' }]);
    for (const path of ['a.txt', 'b.txt']) await keepFile({ taskId: task.id, attempt, path });
  }
  await test.store.webhooks.insertDeliveries([deliveryOf(task)]);
  return task;
};

const bytesKept = async () =>
  (
    await readdir(`${test.config.dataDir}/files/blobs`, { recursive: true, withFileTypes: true }).catch(
      () => [],
    )
  )
    .filter((entry) => entry.isFile())
    .map(({ name }) => name)
    .sort();
const logsKept = async () => (await readdir(`${test.config.dataDir}/files/logs`).catch(() => [])).sort();
const recordsKept = async () => (await test.store.files.list({ ownerId: alice.id }, { limit: 999 })).files;
const tasksKept = async () =>
  (await test.store.tasks.list({}, { limit: 999 })).tasks.map(({ id }) => id).sort();

describe('a purge', () => {
  it('believes a clock of the cluster that is ahead of the machine only as far as that', async () => {
    const { id } = await leave();
    const ahead = (offsetMs: number) => ({ now: () => NOW, monotonic: () => 0, offsetMs: () => offsetMs });
    expect(await new Retention(partsOf({ clock: ahead(-1) })).purge()).toBe(0);
    expect(await tasksKept()).toEqual([id]);
    expect(await new Retention(partsOf({ clock: ahead(1) })).purge()).toBe(1);
  });

  it('takes old tasks with output, files and deliveries, and leaves all else', async () => {
    const olds = [await leave(), await leave({ state: 'failed' }), await leave({ state: 'cancelled' })];
    const young = await leave({ finishedAt: NOW - KEPT_MS });
    const running = await leave({ state: 'running', finishedAt: null, submittedAt: 1 });
    const upload = await keepFile({ taskId: null, attempt: null, path: 'in/data' });
    expect(await new Retention(partsOf()).purge()).toBe(olds.length);
    const left = [young.id, running.id].sort();
    expect(await tasksKept()).toEqual(left);
    expect(await logsKept()).toEqual(left);
    const records = await recordsKept();
    expect(records.filter(({ taskId }) => taskId === null)).toEqual([upload]);
    expect(records).toHaveLength(9);
    expect(await bytesKept()).toEqual(records.map(({ id }) => id).sort());
    const deliveries = await test.store.webhooks.listDeliveries({ ownerId: alice.id }, { limit: 99 });
    expect(deliveries.map(({ taskId }) => taskId).sort()).toEqual(left);
    expect((await test.store.tasks.countByState(alice.id)).completed).toBe(1);
    expect(await new Retention(partsOf()).purge()).toBe(0);
  });

  it('goes through more than fit into one step', async () => {
    const own = { ownerId: alice.id, ownerName: 'alice', state: 'completed' } as const;
    await test.store.tasks.insert(
      Array.from({ length: 120 }, (_, n) => makeTask({}, { ...own, finishedAt: 1 + (n % 7) })),
    );
    expect(await new Retention(partsOf()).purge()).toBe(120);
    expect(await tasksKept()).toEqual([]);
  });

  it('leaves nothing that nobody knows of, at whatever call it is cut off, and is done by the next', async () => {
    const one = async () => {
      const task = await leave();
      for (const cut of CALLS) {
        const crash = new Error(`cut at ${cut}`);
        await new Retention(partsOf(cutting(cut, crash))).purge().catch((error) => {
          if (error !== crash) throw error;
        });
        // The record is what leads to the rest.
        expect(await tasksKept(), cut).toEqual([task.id]);
        const known = (await recordsKept()).map(({ id }) => id);
        for (const id of await bytesKept()) expect(known, cut).toContain(id);
      }
    };
    await one();
    // Two copies of the API at the same moment.
    await Promise.all([new Retention(partsOf()).purge(), new Retention(partsOf()).purge()]);
    expect(await tasksKept()).toEqual([]);
    expect(await recordsKept()).toEqual([]);
    expect(await bytesKept()).toEqual([]);
    expect(await logsKept()).toEqual([]);
  });

  it('does not let one task whose bytes cannot be removed hold up the others', async () => {
    const stuck = await leave({ finishedAt: 1 });
    const others = [await leave(), await leave()];
    const logs = {
      remove: (id: string) =>
        id === stuck.id ? Promise.reject(new Error('disk fault')) : test.logs.remove(id),
    };
    expect(await new Retention(partsOf({ logs })).purge()).toBe(others.length);
    expect(await tasksKept()).toEqual([stuck.id]);
    expect(await new Retention(partsOf()).purge()).toBe(1);
  });
});

const CALLS = ['logs', 'files before', 'files after', 'records', 'deliveries', 'tasks'] as const;

/** Parts of which one fails, as when the process dies there. */
function cutting(cut: (typeof CALLS)[number], crash: Error): Partial<RetentionParts> {
  const { tasks, webhooks, files: records } = test.store;
  const fail = () => Promise.reject(crash);
  switch (cut) {
    case 'logs':
      return { logs: { remove: fail } };
    case 'files before':
      return { files: { remove: fail } };
    case 'files after':
      return { files: { remove: (ids) => files.remove(ids).then(fail) } };
    case 'records':
      return { records: { list: (...args) => records.list(...args), remove: fail } };
    case 'deliveries':
      return { webhooks: { removeDeliveriesOf: (ids) => webhooks.removeDeliveriesOf(ids).then(fail) } };
    case 'tasks':
      return { tasks: { ended: (page) => tasks.ended(page), removeEnded: fail } };
  }
}

describe('the setting', () => {
  it('has the API purge by itself, tells until when, and a purged task is not there any more', async () => {
    await test.close();
    await open({ RETENTION_DAYS: '0.5' });
    const endedAt = Date.now();
    const young = await leave({ finishedAt: endedAt });
    const old = await leave({ finishedAt: endedAt - DAY_MS / 2 });
    await waitFor(async () => (await tasksKept()).length === 1, { what: 'the purge' });
    const seen = await test.call<TaskBody>('GET', `/api/tasks/${young.id}`, { as: alice });
    expect(seen.body.kept_until).toBe(new Date(endedAt + DAY_MS / 2).toISOString());
    const telemetry = await test.call<TelemetryReply>('GET', '/telemetry', { as: alice });
    expect(telemetry.body.retention_days).toBe(0.5);
    for (const path of ['', '/logs', '/files', '/usage', '/explain']) {
      const gone = await test.call('GET', `/api/tasks/${old.id}${path}`, { as: alice });
      expect(gone.status, path).toBe(404);
    }
  });

  it('keeps tasks for ever when nobody sets it', async () => {
    const task = await leave({ finishedAt: 1 });
    const seen = await test.call<TaskBody>('GET', `/api/tasks/${task.id}`, { as: alice });
    expect(seen.body.kept_until).toBeNull();
    expect((await test.call<TelemetryReply>('GET', '/telemetry')).body.retention_days).toBe(0);
    expect(test.config.retentionMs).toBe(0);
    expect(await tasksKept()).toEqual([task.id]);
  });
});
