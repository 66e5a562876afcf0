import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tempDir } from '../../test/support/servers.ts';
import { lockDataFolder } from './instance-lock.ts';

let dir: string;
let remove: () => Promise<void>;
beforeEach(async () => {
  ({ path: dir, remove } = await tempDir());
});
afterEach(() => remove());

describe('the lock of a data folder', () => {
  it('keeps a second one out and says where the first is', async () => {
    const lock = await lockDataFolder(dir, 'http://localhost:8080');
    await expect(lockDataFolder(dir, 'http://localhost:8081')).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(
        new RegExp(`process ${process.pid}, http://localhost:8080[\\s\\S]*DATA_DIR=`),
      ),
    });
    await lock.release();
    const second = await lockDataFolder(dir, 'http://localhost:8081');
    await second.release();
    expect(await readdir(dir)).toEqual([]);
  });

  it('lets one of many in', async () => {
    const tries = await Promise.allSettled(Array.from({ length: 10 }, () => lockDataFolder(dir, 'x')));
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('is taken over from a process that is gone', async () => {
    // Beyond the largest process id Linux gives out.
    await writeFile(
      join(dir, 'running.json'),
      JSON.stringify({ pid: 4_194_305, startedAt: '1', address: 'x' }),
    );
    const lock = await lockDataFolder(dir, 'x');
    await lock.release();
  });

  it('is taken over when its process id belongs to another process now', async () => {
    const file = join(dir, 'running.json');
    await writeFile(file, JSON.stringify({ pid: process.ppid, startedAt: '1', address: 'x' }));
    await lockDataFolder(dir, 'mine');
    expect(JSON.parse(await readFile(file, 'utf8'))).toMatchObject({ pid: process.pid, address: 'mine' });
  });

  it('is taken over when its file is damaged', async () => {
    await writeFile(join(dir, 'running.json'), '{"pid":');
    await lockDataFolder(dir, 'x');
  });

  it('is not released by one that does not hold it any more', async () => {
    const file = join(dir, 'running.json');
    const lock = await lockDataFolder(dir, 'x');
    await writeFile(file, JSON.stringify({ pid: process.ppid, startedAt: null, address: 'y' }));
    await lock.release();
    expect(JSON.parse(await readFile(file, 'utf8')).address).toBe('y');
  });
});
