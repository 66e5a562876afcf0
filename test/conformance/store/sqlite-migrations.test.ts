// A database of an older release, made by its own steps and filled as it filled it, comes through whole.

import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Connection } from '../../../shared/adapters/sqlite/connection.ts';
import { migrate, NEWEST_VERSION } from '../../../shared/adapters/sqlite/migrations.ts';
import { openSqliteStore } from '../../../shared/adapters/sqlite/open.ts';
import {
  INSERT_SPEC,
  INSERT_TASK,
  insertValues,
  specValues,
} from '../../../shared/adapters/sqlite/task-record.ts';
import type { FileRecord } from '../../../shared/model/file.ts';
import type { Task } from '../../../shared/model/task.ts';
import { finishTask } from '../../../shared/model/task-life.ts';
import { newUser } from '../../../shared/model/user.ts';
import { tempDir } from '../../support/servers.ts';
import { makeTask } from '../../support/tasks.ts';
import { assigned, ODD_SPEC, started, unwrap } from './records.ts';
import { allocationOf, queuedView } from './scheduler-view.ts';

const makeFile = (over: Partial<FileRecord>): FileRecord => ({
  id: 'file-1',
  ownerId: 'user-1',
  taskId: 'task-1',
  attempt: 2,
  path: 'ä/out.txt',
  sizeBytes: 2 ** 33,
  contentType: 'text/plain',
  sha256: '00',
  createdAt: 7,
  ...over,
});

/** As version 1 wrote it: without the fields that came later. */
function withoutLaterFields(task: Task): Task {
  const { webhook: _, constraints: __, prefer: ___, ...later } = task.spec;
  const { retryOn, retryOnExitCodes, retryDelaySeconds, queueTimeoutSeconds, maxLosses, ...spec } = later;
  const attempts = task.attempts.map(
    ({ notBefore, eviction, usage, progress, outputs, ...attempt }) => attempt,
  );
  return { ...task, spec, attempts } as unknown as Task;
}

/** Without the columns that came later. */
const LATER = ['has_webhook', 'name', 'image', 'labels', 'k_value', 'gpu_ids', 'is_leaving', 'queue_timeout'];
const COLUMNS = INSERT_TASK.slice(INSERT_TASK.indexOf('(') + 1, INSERT_TASK.indexOf(')')).split(', ');
const OLDER_COLUMNS = COLUMNS.filter((column) => !LATER.includes(column));
const INSERT_OLDER_TASK = `INSERT INTO tasks (${OLDER_COLUMNS.join(', ')}) VALUES (${OLDER_COLUMNS.map(() => '?').join(', ')})`;

describe('a database of version 1', () => {
  let dir: { path: string; remove(): Promise<void> };
  let path: string;
  beforeEach(async () => {
    dir = await tempDir();
    path = join(dir.path, 'old.db');
  });
  afterEach(() => dir.remove());

  const outcome = { kind: 'completed', exitCode: 0, message: null } as const;
  const finish = (task: Task, now: number) =>
    unwrap(finishTask(task, { attempt: 1, workerId: 'w1', now, dice: 0, outcome }));
  const late = finish(started(assigned(makeTask())), 9_000);
  const early = finish(
    started(
      assigned(
        makeTask({ ...ODD_SPEC, constraints: {}, prefer: {}, queueTimeoutSeconds: 0, retryOnExitCodes: [] }),
      ),
    ),
    5_000,
  );
  const withGpu = { resources: { cpuMillis: 1, memoryMb: 2, gpus: 1, storageMb: 4 } };
  const [plain, waiting, running] = [
    makeTask({}, { idempotencyKey: 'key' }),
    makeTask({ kValue: 0.1 + 0.2, tag: 'blue', image: 'b:1' }),
    started(assigned(makeTask(withGpu))),
  ];
  const cancel = { requestedAt: 1, requestedBy: 'alice', force: false };
  const leaving = { ...assigned(makeTask(), 'w2'), cancel };
  const tasks = [plain, waiting, running, leaving, late, early];
  const output = makeFile({});
  const account = { passwordHash: 'h', createdAt: 1 };
  const users = [
    { id: 'user-0', username: 'boss', role: 'admin', ...account },
    { id: 'user-1', username: 'alice', role: 'user', ...account },
  ] as const;
  const upload = makeFile({ id: 'file-2', taskId: null, attempt: null, sizeBytes: 0 });

  const fill = async () => {
    const db = new Connection(path);
    await migrate(db, 1);
    await db.write(() => {
      for (const task of tasks) {
        const older = withoutLaterFields(task);
        const values = insertValues(task).filter((_, n) => !LATER.includes(COLUMNS[n] ?? ''));
        values[OLDER_COLUMNS.indexOf('attempts')] = JSON.stringify(older.attempts);
        db.run(INSERT_OLDER_TASK, values);
        db.run(INSERT_SPEC, specValues(older));
        db.run('INSERT INTO task_counts VALUES (?, ?, 1) ON CONFLICT DO UPDATE SET count = count + 1', [
          task.ownerId,
          task.state,
        ]);
      }
      for (const file of [output, upload]) {
        db.run('INSERT INTO files VALUES (?, ?, ?, ?, ?)', [
          file.id,
          file.ownerId,
          file.taskId ?? '',
          file.path,
          JSON.stringify(file),
        ]);
      }
      for (const user of users) {
        db.run('INSERT INTO users VALUES (?, ?, ?)', [user.id, user.username, JSON.stringify(user)]);
      }
    });
    await db.close();
  };

  it('keeps its records, which are complete and found in every new way', async () => {
    await fill();
    const store = await openSqliteStore(path);
    for (const task of tasks) expect(await store.tasks.get(task.id)).toStrictEqual(task);
    expect(await store.tasks.ended({ since: 0, limit: 10 })).toStrictEqual([early, late]);
    expect(await store.tasks.ended({ since: 0, limit: 10, withWebhook: true })).toEqual([]);
    const named = (await store.tasks.summaries({}, { limit: 10 })).tasks.map(({ name, image }) => [
      name,
      image,
    ]);
    expect(named).toStrictEqual(
      tasks.toSorted((a, b) => (a.id < b.id ? 1 : -1)).map(({ spec }) => [spec.name, spec.image]),
    );
    expect((await store.tasks.countByState()).completed).toBe(2);
    expect(await store.tasks.queued({ limit: 9 })).toStrictEqual([plain, waiting].map(queuedView));
    const line = await store.tasks.inLine({ limit: 9 });
    expect(line.map(({ kValue }) => kValue)).toEqual([3, 0.1 + 0.2]);
    expect(line[0]?.labels).toEqual({ constraints: {}, prefer: {} });
    const runs = await store.tasks.endedRuns({ since: 0, limit: 9 });
    expect(runs.map(({ kValue }) => kValue)).toEqual([early, late].map(({ spec }) => spec.kValue));
    expect(await store.tasks.allocations('w1')).toStrictEqual([allocationOf(running, ['gpu-0'], false)]);
    expect(await store.tasks.allocations('w2')).toStrictEqual([allocationOf(leaving, [], true)]);
    expect(await store.users.resourceQuotas()).toEqual(new Map());
    expect((await store.tasks.insert([makeTask({}, { idempotencyKey: 'key' })])).kind).toBe('duplicate');
    const [boss, alice] = users.map((user) => newUser(user));
    if (!boss || !alice) throw new Error('two users were put in');
    expect(await store.users.findByUsername('alice')).toStrictEqual(alice);
    expect((await store.users.list({}, { limit: 9 })).users).toStrictEqual([alice, boss]);
    const demoted = { ...boss, role: 'user', revision: 1 } as const;
    expect(await store.users.commit(demoted)).toBe('last_admin');
    expect(await store.users.commit({ ...alice, role: 'admin', revision: 1 })).toBe('written');
    expect(await store.users.commit(demoted)).toBe('written');
    for (const file of [output, upload]) expect(await store.files.find(file)).toStrictEqual(file);
    expect(await store.files.total({ ownerId: 'user-1' })).toEqual({ files: 2, bytes: 2 ** 33 });
    expect((await store.files.list({ ownerId: 'user-1' }, { limit: 9 })).files).toEqual([upload, output]);
    // A place that was one is several now, and each is still unique.
    const retry = makeFile({ id: 'file-3', attempt: 3 });
    const again = makeFile({ id: 'file-4' });
    expect(await store.files.put([retry, again])).toStrictEqual([output]);
    await store.history.put([{ series: 'cluster', grain: 'fine', at: 1, values: {} }]);
    expect(await store.webhooks.list('user-1')).toEqual([]);
    expect(await store.registrations.due(Date.now(), 9)).toEqual([]);
    expect(await store.uploads.listOpen('user-1', 9)).toEqual([]);
    await store.close();
  });

  it('is brought up by one of several that open it at once', async () => {
    await fill();
    const stores = await Promise.all(Array.from({ length: 4 }, () => openSqliteStore(path)));
    for (const store of stores) expect(await store.files.find(output)).toStrictEqual(output);
    await Promise.all(stores.map((store) => store.close()));
    const db = new Connection(path);
    expect(db.all('SELECT version FROM schema_version')).toEqual([{ version: NEWEST_VERSION }]);
    await db.close();
  });
});
