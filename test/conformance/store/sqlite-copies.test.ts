// Copies of the embedded store, taken while others write, and put back while others read.

import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import Database from 'libsql';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSqliteStore } from '../../../shared/adapters/sqlite/open.ts';
import { REVISION_STEP } from '../../../shared/model/restored-task.ts';
import type { Task } from '../../../shared/model/task.ts';
import { evictTask, finishTask, requestCancel, takeBackTask } from '../../../shared/model/task-life.ts';
import { newUser } from '../../../shared/model/user.ts';
import type { Store } from '../../../shared/ports/store.ts';
import type { ReceivedCopy, StoreCopies } from '../../../shared/ports/store-copies.ts';
import { tempDir } from '../../support/servers.ts';
import { makeRegistration, makeTask, taken } from '../../support/tasks.ts';
import { assigned, ODD_SPEC, started } from './records.ts';

let dir: { path: string; remove(): Promise<void> };
let path: string;
let store: Store;
/** Of another process: it has connections of its own. */
let other: Store;
let copies: StoreCopies;
beforeEach(async () => {
  dir = await tempDir();
  path = join(dir.path, 'cloudai.db');
  store = await openSqliteStore(path);
  other = await openSqliteStore(path);
  if (!store.copies) throw new Error('the embedded store has copies');
  copies = store.copies;
});
afterEach(async () => {
  await store.close();
  await other.close();
  await dir.remove();
});

interface Bytes {
  readonly content: Buffer;
  readonly sizeBytes: number;
  readonly sha256: string;
}

async function take(): Promise<Bytes> {
  const copy = await copies.take();
  const { sizeBytes, sha256 } = copy;
  const content = await buffer(copy.read());
  await copy.discard();
  return { content, sizeBytes, sha256 };
}

const bytesOf = (content: Buffer): Bytes => {
  const sha256 = createHash('sha256').update(content).digest('hex');
  return { content, sizeBytes: content.length, sha256 };
};

const receive = (copy: Bytes): Promise<ReceivedCopy> => copies.receive(Readable.from([copy.content]), copy);

async function restore(copy: Bytes, now = 9_000): Promise<string> {
  const received = await receive(copy);
  const { safetyCopy } = await received.replace(now);
  await received.discard();
  return safetyCopy;
}

const commit = async (task: Task) => {
  expect(await other.tasks.commit(task)).toBe(true);
  return task;
};
const read = async (task: Task): Promise<Task> => {
  const found = await other.tasks.get(task.id);
  if (!found) throw new Error(`${task.id} is gone`);
  return found;
};
const finish = (task: Task) => {
  const { attempt, workerId } = task;
  const outcome = { kind: 'completed', exitCode: 0, message: null } as const;
  return taken(finishTask(task, { attempt, workerId: workerId ?? '', now: 5, dice: 0, outcome }));
};
const lose = (task: Task) =>
  taken(
    takeBackTask(task, { attempt: task.attempt, workerId: task.workerId ?? '', now: 5, message: 'lost' }),
  );

const leftovers = async () => (await readdir(dir.path)).filter((name) => name.includes('.copy-'));

describe('a copy', () => {
  it('is the record of one moment, whole, and only its owner may read it', async () => {
    const task = makeTask(ODD_SPEC);
    await store.tasks.insert([task]);
    const copy = await copies.take();
    await store.tasks.insert([makeTask()]);
    const [name = ''] = await leftovers();
    expect((await stat(join(dir.path, name))).mode & 0o777).toBe(0o700);
    expect((await stat(join(dir.path, name, 'taken.db'))).mode & 0o777).toBe(0o600);
    const content = await buffer(copy.read());
    expect(content).toHaveLength(copy.sizeBytes);
    await copy.discard();
    expect(await leftovers()).toEqual([]);
    const apart = join(dir.path, 'apart.db');
    await writeFile(apart, content);
    const opened = await openSqliteStore(apart);
    expect((await opened.tasks.list({}, { limit: 9 })).tasks).toStrictEqual([task]);
    await opened.close();
  });

  it('is taken while others write: each batch is in it whole or not at all', async () => {
    let stop = false;
    const batches: string[][] = [];
    const writing = (async () => {
      while (!stop) {
        const tasks = Array.from({ length: 7 }, () => makeTask());
        await other.tasks.insert(tasks);
        batches.push(tasks.map(({ id }) => id));
      }
    })();
    await expect.poll(() => batches.length).toBeGreaterThan(3);
    const before = batches.length;
    const received = await receive(await take());
    stop = true;
    await writing;
    const { tasksInCopy } = await received.compare();
    await received.discard();
    expect(tasksInCopy % 7).toBe(0);
    expect(tasksInCopy).toBeGreaterThanOrEqual(before * 7);
    expect(tasksInCopy).toBeLessThanOrEqual(batches.length * 7);
  });

  it('that a process left when it died goes when the next one looks', async () => {
    const [dead, alive] = [`${path}.copy-dead`, `${path}.copy-alive`];
    for (const folder of [dead, alive]) await mkdir(folder);
    await writeFile(join(dead, 'taken.db'), 'x');
    await utimes(dead, new Date(), new Date(Date.now() - 3_600_000));
    await (await openSqliteStore(path)).close();
    expect(await leftovers()).toEqual([basename(alive)]);
  });
});

describe('what is put back', () => {
  it('is refused when it is damaged, something else, or of a newer release, and leaves nothing', async () => {
    await store.tasks.insert([makeTask(ODD_SPEC)]);
    const copy = await take();
    const bad = { code: 'invalid_request', message: expect.stringContaining('the backup cannot be used') };
    await expect(receive({ ...copy, sha256: '00' })).rejects.toMatchObject(bad);
    await expect(receive({ ...copy, content: copy.content.subarray(0, 5_000) })).rejects.toMatchObject(bad);
    const text = Buffer.from('no database, and long enough for one. '.repeat(200));
    const made = async (change: (db: Database.Database) => void, from = copy.content) => {
      const file = join(dir.path, 'changed.db');
      await writeFile(file, from);
      const db = new Database(file);
      change(db);
      db.close();
      return file;
    };
    const sent = async (content: Buffer) => {
      return receive({
        content,
        sizeBytes: content.length,
        sha256: createHash('sha256').update(content).digest('hex'),
      });
    };
    await expect(sent(text)).rejects.toMatchObject(bad);
    const newer = await made((db) => db.exec('UPDATE schema_version SET version = 1000'));
    await expect(sent(await readFile(newer))).rejects.toMatchObject({
      ...bad,
      message: expect.stringContaining('newer release'),
    });
    const armed = await made((db) =>
      db.exec('CREATE TRIGGER t AFTER INSERT ON users BEGIN DELETE FROM tasks; END'),
    );
    await expect(sent(await readFile(armed))).rejects.toMatchObject(bad);
    const foreign = await made((db) => db.exec('DROP TABLE schema_version'));
    await expect(sent(await readFile(foreign))).rejects.toMatchObject(bad);
    const changed = await made((db) => db.exec('ALTER TABLE users ADD COLUMN more TEXT'));
    const received = await sent(await readFile(changed));
    await expect(received.replace(1)).rejects.toMatchObject(bad);
    await received.discard();
    expect((await store.tasks.countByState()).queued).toBe(1);
    expect(await store.generation()).toBe(0);
    expect(await leftovers()).toEqual([]);
  });

  it('takes the place of all there is, for every process at once; what was there is kept and comes back', async () => {
    const [kept, lost] = [makeTask(ODD_SPEC), makeTask()];
    const boss = newUser({ id: 'user-0', username: 'boss', passwordHash: 'h', role: 'admin', createdAt: 1 });
    const late = newUser({ id: 'user-9', username: 'late', passwordHash: 'h', role: 'user', createdAt: 1 });
    await store.users.insert(boss);
    await store.tasks.insert([kept]);
    await store.workers.register(makeRegistration({ id: 'w-old' }));
    const copy = await take();
    await other.tasks.insert([lost]);
    await other.users.insert(late);
    await other.users.commit({ ...boss, signInEpoch: 4, revision: 1 });
    await other.workers.remove('w-old');
    await other.workers.register(makeRegistration({ id: 'w-new' }));
    const received = await receive(copy);
    expect(await received.compare()).toEqual({
      tasksNow: 2,
      tasksInCopy: 1,
      tasksLost: 1,
      unfinishedLost: 1,
      tasksAgain: 0,
      usersLost: 1,
    });
    const term = await store.nextTerm();
    const { generation, safetyCopy } = await received.replace(9_000);
    await received.discard();
    expect(generation).toBe(1);
    expect(await other.generation()).toBe(1);
    expect((await other.tasks.list({}, { limit: 9 })).tasks).toStrictEqual([
      { ...kept, revision: 1 + REVISION_STEP },
    ]);
    expect(await other.tasks.countByState('user-1')).toMatchObject({ queued: 1 });
    expect(await other.users.get('user-9')).toBeNull();
    // Sign-ins that were ended since stay ended.
    expect(await other.users.get('user-0')).toStrictEqual({ ...boss, signInEpoch: 4, revision: 2 });
    expect(await other.users.commit({ ...boss, signInEpoch: 5, revision: 3 })).toBe('written');
    expect((await other.workers.list()).map(({ id }) => id)).toEqual(['w-new', 'w-old']);
    expect((await stat(safetyCopy)).mode & 0o777).toBe(0o600);
    // The leader of before is deposed, and the next term is greater than any.
    const placing = assigned(await read(kept), 'w1', term);
    expect(await other.tasks.place([placing], term)).toEqual(new Set());
    expect(await store.nextTerm()).toBeGreaterThan(term);
    await restore(bytesOf(await readFile(safetyCopy)), 10_000);
    expect((await other.tasks.list({}, { limit: 9 })).tasks.map(({ id }) => id).sort()).toEqual(
      [kept.id, lost.id].sort(),
    );
    expect(await other.users.get('user-9')).not.toBeNull();
    expect(await leftovers()).toEqual([]);
  });

  it('brings tasks to where they can go on from', async () => {
    const names = ['waits', 'ran', 'goesOn', 'ended', 'lost', 'begun', 'leaves', 'over'] as const;
    const tasks = Object.fromEntries(names.map((name) => [name, makeTask()])) as Record<
      (typeof names)[number],
      Task
    >;
    await store.tasks.insert(Object.values(tasks));
    const place = async (task: Task) => commit(assigned(task));
    const run = async (task: Task) => commit(started(await place(task)));
    const goesOn = await run(tasks.goesOn);
    const ended = await run(tasks.ended);
    const lost = await run(tasks.lost);
    const begun = await place(tasks.begun);
    const leaves = await run(tasks.leaves);
    const cancelled = await commit(
      taken(requestCancel(leaves, { force: false, requestedBy: 'alice', now: 4 })),
    );
    const over = await commit(finish(await run(tasks.over)));
    const copy = await take();
    // What happened since.
    await commit(finish(await run(tasks.ran)));
    await commit(finish(ended));
    await commit(started(await place(await commit(lose(lost)))));
    await commit(started(begun));
    await commit(finish(cancelled));
    const known = { ...goesOn };
    await restore(copy);
    const now = Object.fromEntries(
      await Promise.all(names.map(async (name) => [name, await read(tasks[name])] as const)),
    ) as Record<(typeof names)[number], Task>;
    expect(now.waits).toStrictEqual({ ...tasks.waits, revision: 1 + REVISION_STEP });
    expect(now.ran).toMatchObject({ state: 'queued', attempt: 2, attempts: [] });
    expect(now.ran.revision).toBeGreaterThan(REVISION_STEP);
    expect(now.goesOn).toStrictEqual({ ...goesOn, revision: goesOn.revision + REVISION_STEP });
    expect(now.ended).toMatchObject({ state: 'queued', attempt: 2, workerId: null, losses: 0, failures: 0 });
    expect(now.ended.attempts).toMatchObject([{ number: 1, state: 'lost', message: expect.any(String) }]);
    // Attempt 2 has been used since.
    expect(now.lost).toMatchObject({ state: 'queued', attempt: 3, losses: 0 });
    expect(now.begun).toMatchObject({ state: 'assigned', attempt: 1 });
    expect(now.leaves).toMatchObject({ state: 'cancelled' });
    expect(now.over).toStrictEqual(over);
    expect((await store.tasks.allocations()).map(({ taskId }) => taskId).sort()).toEqual(
      [goesOn.id, begun.id].sort(),
    );
    expect(await store.tasks.countByState()).toEqual({
      queued: 4,
      assigned: 1,
      running: 1,
      completed: 1,
      failed: 0,
      cancelled: 1,
    });
    // Who read it before writes nothing over it, and goes on from what it reads now.
    expect(await store.tasks.commit(finish(known))).toBe(false);
    expect(await store.tasks.commit(finish(now.goesOn))).toBe(true);
    // The second time the same backup comes, revisions are beyond those after the first.
    const before = await read(tasks.waits);
    await restore(copy, 10_000);
    expect((await read(tasks.waits)).revision).toBe(before.revision + REVISION_STEP);
  });

  it('takes tasks that nobody here knows for such that may have run since', async () => {
    const [waiting, running] = [makeTask(), makeTask()];
    await store.tasks.insert([waiting, running]);
    const placed = await commit(started(await commit(assigned(running))));
    const evicted = makeTask();
    await store.tasks.insert([evicted]);
    const words = { cause: 'drained', message: 'moved', requestedAt: 3 } as const;
    await commit(taken(evictTask(await commit(assigned(evicted)), { attempt: 1, workerId: 'w1', ...words })));
    const copy = await take();
    const fresh = await openSqliteStore(join(dir.path, 'fresh', 'cloudai.db'));
    const received = await fresh.copies!.receive(Readable.from([copy.content]), copy);
    await received.replace(9_000);
    await received.discard();
    expect(await fresh.tasks.get(waiting.id)).toMatchObject({ state: 'queued', attempt: 101 });
    expect(await fresh.tasks.get(evicted.id)).toMatchObject({ state: 'queued', attempt: 102 });
    expect(await fresh.tasks.get(running.id)).toStrictEqual({
      ...placed,
      revision: placed.revision + REVISION_STEP,
    });
    await fresh.close();
  });

  it('waits for a writer, and nobody sees half of it', async () => {
    const before = Array.from({ length: 50 }, () => makeTask());
    await store.tasks.insert(before);
    const copy = await take();
    await store.tasks.insert(Array.from({ length: 30 }, () => makeTask()));
    const received = await receive(copy);
    const seen = new Set<number>();
    let stop = false;
    const looking = (async () => {
      while (!stop) {
        seen.add((await other.tasks.countByState()).queued);
        seen.add((await other.tasks.queued({ limit: 1_000 })).length);
        await new Promise((next) => setImmediate(next));
      }
    })();
    const holder = new Database(path);
    holder.exec('BEGIN IMMEDIATE');
    const replacing = received.replace(1);
    await expect.poll(() => seen.size).toBeGreaterThan(0);
    holder.exec('COMMIT');
    holder.close();
    const { safetyCopy } = await replacing;
    stop = true;
    await looking;
    await received.discard();
    expect([...seen].filter((count) => count !== 50 && count !== 80)).toEqual([]);
    expect((await store.tasks.countByState()).queued).toBe(50);
    expect(existsSync(safetyCopy)).toBe(true);
  });
});
