import { mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UploadMemory } from './upload-memory.ts';

let home: string;
let memory: UploadMemory;
const key = { url: 'http://a', user: 'alice', path: 'in/a.bin', local: '/data/a.bin' };
const upload = { upload_id: 'upload-1', size_bytes: 7, mtime_ms: 1.5, sha256: 'ab' };

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'cloudai-memory-'));
  memory = new UploadMemory(join(home, 'config.json'));
});
afterEach(() => rm(home, { recursive: true }));
const files = () => readdir(join(home, 'uploads'));

describe('what is remembered of uploads', () => {
  it('is found by cluster, user, path and file, and forgotten', async () => {
    expect(await memory.find(key)).toBeNull();
    expect(await memory.keep(key, upload)).toBe(true);
    expect(await memory.find(key)).toEqual(upload);
    for (const other of [{ url: 'http://b' }, { user: 'bob' }, { path: 'x' }, { local: '/x' }]) {
      expect(await memory.find({ ...key, ...other })).toBeNull();
    }
    await memory.forget(key);
    await memory.forget(key);
    expect(await files()).toEqual([]);
  });

  it('is readable by its owner only, and bounded', async () => {
    const folder = join(home, 'uploads');
    await mkdir(folder);
    for (let n = 0; n < 205; n += 1) {
      await writeFile(join(folder, `${n}.json`), '{}');
      await utimes(join(folder, `${n}.json`), n, n);
    }
    await memory.keep(key, upload);
    const names = await files();
    expect(names).toHaveLength(200);
    expect(names).not.toContain('5.json');
    expect(names).toContain('6.json');
    const [own = ''] = names.filter((name) => name.length > 10);
    expect((await stat(join(folder, own))).mode & 0o777).toBe(0o600);
  });

  it.each(['', 'null', '{}', '{"upload_id":"../x","size_bytes":1,"mtime_ms":1,"sha256":"a"}'])(
    'is nothing when the file holds %j',
    async (text) => {
      await memory.keep(key, upload);
      const [name = ''] = await files();
      await writeFile(join(home, 'uploads', name), text);
      expect(await memory.find(key)).toBeNull();
    },
  );

  it('that cannot be kept does no harm', async () => {
    await writeFile(join(home, 'uploads'), 'a file where the folder should be');
    expect(await memory.keep(key, upload)).toBe(false);
    expect(await memory.find(key)).toBeNull();
    await memory.forget(key);
  });
});
