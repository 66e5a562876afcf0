import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'libsql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSqliteStore } from '../../../shared/adapters/sqlite/open.ts';
import { tempDir } from '../../support/servers.ts';
import { makeTask } from '../../support/tasks.ts';
import { assigned, started } from './records.ts';
import { storeSuite } from './store-suite.ts';

storeSuite('SQLite store', async () => {
  const { path, remove } = await tempDir();
  return { url: join(path, 'data', 'cloudai.db'), remove };
});

describe('a SQLite file', () => {
  let dir: { path: string; remove(): Promise<void> };
  beforeAll(async () => {
    dir = await tempDir();
  });
  afterAll(() => dir.remove());

  const away = { code: 'store_unavailable', retryable: true };

  it('that cannot be opened is an unavailable store', async () => {
    await mkdir(join(dir.path, 'folder'));
    await expect(openSqliteStore(join(dir.path, 'folder'))).rejects.toMatchObject(away);
    await writeFile(join(dir.path, 'other'), 'this is no database, and long enough to see it. '.repeat(100));
    await expect(openSqliteStore(join(dir.path, 'other'))).rejects.toMatchObject({
      ...away,
      message: expect.stringContaining('restore a backup'),
    });
    await expect(openSqliteStore(join(dir.path, 'other', 'below.db'))).rejects.toMatchObject(away);
  });

  it('of a newer release is refused', async () => {
    const path = join(dir.path, 'newer.db');
    await (await openSqliteStore(path)).close();
    const raw = new Database(path);
    raw.exec('UPDATE schema_version SET version = 1000');
    raw.close();
    await expect(openSqliteStore(path)).rejects.toMatchObject({ code: 'bad_config' });
  });

  it('can be made by many at the same moment', async () => {
    const path = join(dir.path, 'new', 'many.db');
    const stores = await Promise.all(Array.from({ length: 6 }, () => openSqliteStore(path)));
    await Promise.all(stores.map((store) => store.tasks.insert([makeTask()])));
    expect((await stores[0]!.tasks.countByState()).queued).toBe(6);
    await Promise.all(stores.map((store) => store.close()));
  });

  it('that someone else keeps locked is waited for, and readers go on', async () => {
    const path = join(dir.path, 'locked.db');
    const store = await openSqliteStore(path);
    const task = makeTask();
    await store.tasks.insert([task]);
    const holder = new Database(path);
    holder.exec('BEGIN IMMEDIATE');
    const waiting = store.tasks.insert([makeTask()]);
    // The event loop runs on while the write waits.
    expect((await store.tasks.get(task.id))?.id).toBe(task.id);
    holder.exec('COMMIT');
    holder.close();
    expect(await waiting).toEqual({ kind: 'inserted' });
    await store.close();
  });

  it('takes one bad write out of a group without harm to the others', async () => {
    const store = await openSqliteStore(join(dir.path, 'group.db'));
    const task = makeTask();
    await store.tasks.insert([task]);
    const outcomes = await Promise.allSettled([
      store.tasks.insert([makeTask()]),
      store.tasks.insert([makeTask(), task]),
      store.tasks.insert([makeTask()]),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect((await store.tasks.countByState()).queued).toBe(3);
    expect((await store.tasks.list({}, { limit: 10 })).tasks).toHaveLength(3);
    await store.close();
  });

  it('answers each of the commits of one moment by itself', async () => {
    const store = await openSqliteStore(join(dir.path, 'moment.db'));
    const tasks = Array.from({ length: 150 }, () => makeTask());
    await store.tasks.insert(tasks);
    const moment = tasks.flatMap((task) => [assigned(task, 'w1'), assigned(task, 'w2')]);
    const written = await Promise.all(moment.map((next) => store.tasks.commit(next)));
    expect(written).toEqual(tasks.flatMap(() => [true, false]));
    const running = tasks.slice(0, 3).map((task) => started(assigned(task, 'w1')));
    const unwritable = 1n as unknown as string;
    const outcomes = await Promise.allSettled(
      running.map((next, n) => store.tasks.commit(n === 1 ? { ...next, message: unwritable } : next)),
    );
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(await store.tasks.countByState()).toMatchObject({ queued: 0, assigned: 148, running: 2 });
    expect(await store.tasks.get(tasks[0]!.id)).toStrictEqual(running[0]);
    await store.close();
  });

  it('finds text that is rare among many tasks', async () => {
    const store = await openSqliteStore(join(dir.path, 'many.db'));
    const needles = [makeTask({ name: 'needle 1' })];
    await store.tasks.insert(needles);
    for (let n = 0; n < 9; n += 1) await store.tasks.insert(Array.from({ length: 1000 }, () => makeTask()));
    needles.push(makeTask({ name: 'needle 2' }));
    await store.tasks.insert(needles.slice(1));
    const page = await store.tasks.list({ text: 'needle', states: ['queued'] }, { limit: 10 });
    expect(page).toEqual({ tasks: needles.toReversed(), next: null });
    await store.close();
  });
});
