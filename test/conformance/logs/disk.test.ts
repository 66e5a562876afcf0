import {
  appendFile,
  chmod,
  mkdir,
  readdir,
  readFile,
  rm,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDiskLogStore } from '../../../shared/adapters/disk/log-store.ts';
import { tempDir } from '../../support/servers.ts';
import { logSuite, makeLines } from './log-suite.ts';

logSuite('logs on disk', async () => {
  const { path, remove } = await tempDir();
  return { open: async () => openDiskLogStore(path), remove };
});

describe('log files', () => {
  let dir: { path: string; remove(): Promise<void> };
  let folder: string;
  beforeEach(async () => {
    dir = await tempDir();
    folder = join(dir.path, 'logs', 'task-1', '1');
  });
  afterEach(() => dir.remove());
  const files = async () => (await readdir(folder)).sort().map((name) => join(folder, name));

  it('a torn last line is no line, and the next writer cuts it off', async () => {
    const lines = makeLines(1, 20);
    await openDiskLogStore(dir.path).append('task-1', 1, lines);
    const [file] = await files();
    const whole = await readFile(file!);
    const lastLine = whole.lastIndexOf(10, whole.length - 2) + 1;
    // Wherever the death of the writer cut it, and whatever a power cut left of it.
    for (const [size, junk] of [
      [lastLine, ''],
      [lastLine + 1, ''],
      [whole.length - 1, ''],
      [lastLine, '\0\0\0'],
    ] as const) {
      await writeFile(file!, whole);
      await truncate(file!, size);
      await appendFile(file!, junk);
      const reader = openDiskLogStore(dir.path);
      expect(await reader.read('task-1', 1, 1, 100)).toStrictEqual(lines.slice(0, 19));
      expect((await reader.position('task-1', 1)).lastSeq).toBe(19);
      await openDiskLogStore(dir.path).append('task-1', 1, makeLines(18, 25));
      expect(await reader.read('task-1', 1, 1, 100)).toStrictEqual(makeLines(1, 25));
    }
  });

  it('a file as earlier versions wrote it reads on and is gone on with', async () => {
    await mkdir(folder, { recursive: true });
    const old = '{"stdoutLines":0,"stderrLines":0}\n[1,5,1,"one"]\n[2,6,2,"two"]\n';
    await writeFile(join(folder, '00000000.ndjson'), old);
    const store = openDiskLogStore(dir.path);
    await store.append('task-1', 1, [{ seq: 3, ts: 7, stream: 'stdout', line: 'three', more: true }]);
    expect(await store.read('task-1', 1, 1, 10)).toStrictEqual([
      { seq: 1, ts: 5, stream: 'stdout', line: 'one' },
      { seq: 2, ts: 6, stream: 'stderr', line: 'two' },
      { seq: 3, ts: 7, stream: 'stdout', line: 'three', more: true },
    ]);
  });

  it('a file that was only begun is no harm', async () => {
    await openDiskLogStore(dir.path).append('task-1', 1, makeLines(1, 4096));
    await openDiskLogStore(dir.path).append('task-1', 1, makeLines(4097, 4097));
    const [, second] = await files();
    for (const size of [0, 1, 5]) {
      await truncate(second!, size);
      const store = openDiskLogStore(dir.path);
      expect((await store.position('task-1', 1)).lastSeq).toBe(4096);
      await store.append('task-1', 1, makeLines(4097, 4100));
      expect(await store.read('task-1', 1, 4095, 100)).toStrictEqual(makeLines(4095, 4100));
    }
  });

  it('a full disk is told as such, and what was kept stays good', async () => {
    const store = openDiskLogStore(dir.path);
    await store.append('task-1', 1, makeLines(1, 4096));
    const [first] = await files();
    // The name of the next chunk leads to a device that is always full.
    const next = first!.replace(/0(\D*)$/, '1$1');
    await symlink('/dev/full', next);
    await expect(store.append('task-1', 1, makeLines(4097, 4099))).rejects.toMatchObject({
      code: 'disk_full',
    });
    await rm(next);
    await store.append('task-1', 1, makeLines(4097, 4099));
    expect(await store.read('task-1', 1, 4096, 10)).toStrictEqual(makeLines(4096, 4099));
  });

  it('a folder that cannot be written is an unavailable store', async () => {
    await writeFile(join(dir.path, 'logs'), 'a file where the folder should be');
    const away = { code: 'store_unavailable', retryable: true };
    await expect(openDiskLogStore(dir.path).append('task-1', 1, makeLines(1, 1))).rejects.toMatchObject(away);
  });

  it.each(['..', '.', '../x', 'a/b', '', 'a\0b', '/etc', 'x'.repeat(300), '.hidden'])(
    'no path leads out of the folder: %j',
    async (id) => {
      const outside = join(dir.path, 'inner');
      await mkdir(outside);
      await chmod(outside, 0o755);
      const store = openDiskLogStore(join(outside, 'deep'));
      const refused = { code: 'invalid_request' };
      await expect((async () => store.append(id, 1, makeLines(1, 1)))()).rejects.toMatchObject(refused);
      await expect((async () => store.read(id, 1, 1, 1))()).rejects.toMatchObject(refused);
      await expect((async () => store.position(id, 1))()).rejects.toMatchObject(refused);
      await expect((async () => store.remove(id))()).rejects.toMatchObject(refused);
      await expect((async () => store.read('task-1', 1.5, 1, 1))()).rejects.toMatchObject(refused);
      await expect((async () => store.read('task-1', -1, 1, 1))()).rejects.toMatchObject(refused);
      expect(await readdir(outside)).toEqual([]);
    },
  );
});
