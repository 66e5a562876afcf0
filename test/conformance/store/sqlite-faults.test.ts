// A SQLite file that cannot be written now: kept locked by another process, or on a disk that is full. Writes fail in
// words and as something that passes, nothing is half written, and all goes on once there is room again.

import { execFileSync } from 'node:child_process';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import Database from 'libsql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSqliteStore } from '../../../shared/adapters/sqlite/open.ts';
import type { Store } from '../../../shared/ports/store.ts';
import { tempDir } from '../../support/servers.ts';
import { makeTask } from '../../support/tasks.ts';
import { waitFor } from '../../support/wait-for.ts';

let dir: { path: string; remove(): Promise<void> };
beforeAll(async () => {
  dir = await tempDir();
});
afterAll(() => dir.remove());

const passing = (words: RegExp) => ({
  code: 'store_unavailable',
  retryable: true,
  message: expect.stringMatching(words),
});

describe('a SQLite file that stays locked for longer than writers wait', () => {
  it('refuses all of them in time, however many there are, and takes the next ones when it is free', async () => {
    const path = join(dir.path, 'locked.db');
    const store = await openSqliteStore(path);
    const before = makeTask();
    await store.tasks.insert([before]);
    const holder = new Database(path);
    holder.exec('BEGIN IMMEDIATE');
    // A process that starts meanwhile has the patience of one that runs and tries again.
    const late = openSqliteStore(path);
    // More than go into one transaction.
    const writes = Array.from({ length: 600 }, () => store.tasks.insert([makeTask()]));
    // So that the file is held for longer than any of the first tries.
    writes.push(delay(1_500).then(() => store.tasks.insert([makeTask()])));
    const ends: unknown[] = [];
    for (const write of writes) write.catch((error) => ends.push(error));
    await waitFor(() => ends.length === writes.length, { what: 'all to be refused', deadlineMs: 18_000 });
    expect(new Set(ends.map((error) => (error as { code: string }).code))).toEqual(
      new Set(['store_unavailable']),
    );
    expect(ends[0]).toMatchObject(passing(/locked/));
    expect((await store.tasks.get(before.id))?.id).toBe(before.id);
    holder.exec('COMMIT');
    holder.close();
    await (await late).close();
    await store.tasks.insert([makeTask()]);
    expect((await store.tasks.countByState()).queued).toBe(2);
    await store.close();
  });
});

const isRoot = process.platform === 'linux' && process.getuid?.() === 0;

describe.skipIf(!isRoot)(
  `a full disk${isRoot ? '' : ' (skipped: a small disk can be mounted only by root)'}`,
  () => {
    it('refuses what it cannot hold, keeps what it has, reads on, and takes more when there is room', async () => {
      const disk = join(dir.path, 'small');
      execFileSync('mkdir', [disk]);
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', disk]);
      try {
        const store = await openSqliteStore(join(disk, 'cloudai.db'));
        await writeFile(join(disk, 'ballast'), Buffer.alloc(1_000_000));
        const kept = await fill(store);
        expect(await store.tasks.getMany(kept)).toHaveLength(kept.length);
        expect((await store.tasks.countByState()).queued).toBe(kept.length);

        await rm(join(disk, 'ballast'));
        const later = makeTask();
        await store.tasks.insert([later]);
        await store.close();
        const again = await openSqliteStore(join(disk, 'cloudai.db'));
        expect(await again.tasks.getMany([...kept, later.id])).toHaveLength(kept.length + 1);
        await again.close();
        const raw = new Database(join(disk, 'cloudai.db'));
        expect(raw.prepare('PRAGMA integrity_check').raw().get()).toEqual(['ok']);
        raw.close();
      } finally {
        execFileSync('umount', ['--lazy', disk]);
      }
    });
  },
);

/** Ids of what was taken until nothing was any more, three times over. */
async function fill(store: Store): Promise<string[]> {
  const kept: string[] = [];
  for (let refused = 0; refused < 3; ) {
    const tasks = Array.from({ length: 20 }, () => makeTask({ command: 'x'.repeat(1_000) }));
    try {
      await store.tasks.insert(tasks);
      kept.push(...tasks.map(({ id }) => id));
    } catch (error) {
      expect(error).toMatchObject(passing(/full/));
      refused += 1;
    }
  }
  return kept;
}
