import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDiskFileStore } from '../../../shared/adapters/disk/file-store.ts';
import { tempDir } from '../../support/servers.ts';
import { type FilePlace, fileSuite, NO_LIMIT, streamOf } from './file-suite.ts';

async function makePlace(): Promise<FilePlace> {
  const { path, remove } = await tempDir();
  return {
    open: () => openDiskFileStore(path),
    leftovers: async () => (await filesIn(path)).length,
    remove,
  };
}

async function filesIn(dir: string): Promise<string[]> {
  const found = await readdir(dir, { recursive: true, withFileTypes: true });
  return found.filter((entry) => !entry.isDirectory()).map(({ name }) => name);
}

fileSuite('files on disk', 65_536, makePlace);

describe('a folder of files', () => {
  let dir: { path: string; remove(): Promise<void> };
  beforeEach(async () => {
    dir = await tempDir();
  });
  afterEach(() => dir.remove());
  const hello = () => streamOf(Buffer.from('hello'));

  it('spreads them over folders by the end of their id', async () => {
    const store = await openDiskFileStore(dir.path);
    await store.write('file-00ab', hello(), NO_LIMIT);
    expect(await readFile(join(dir.path, 'blobs', 'ab', 'file-00ab'), 'utf8')).toBe('hello');
  });

  it('loses what dead writers left, and nothing of those at work', async () => {
    const unfinished = join(dir.path, 'blobs', 'unfinished');
    await mkdir(unfinished, { recursive: true });
    for (const [name, ageHours] of [
      ['old', 25],
      ['young', 1],
    ] as const) {
      await writeFile(join(unfinished, name), 'x');
      const then = new Date(Date.now() - ageHours * 3_600_000);
      await utimes(join(unfinished, name), then, then);
    }
    await openDiskFileStore(dir.path);
    expect(await readdir(unfinished)).toEqual(['young']);
  });

  it('is there as soon as it was opened', async () => {
    await openDiskFileStore(join(dir.path, 'a', 'b'));
    expect(await readdir(dir.path, { recursive: true })).toEqual(['a', 'a/b']);
  });

  it('that cannot be written is an unavailable store', async () => {
    const store = await openDiskFileStore(dir.path);
    await writeFile(join(dir.path, 'blobs'), 'a file where the folder should be');
    const away = { code: 'store_unavailable', retryable: true };
    const content = hello();
    await expect(store.write('file-00ab', content, NO_LIMIT)).rejects.toMatchObject(away);
    expect(content.destroyed).toBe(true);
    await expect(store.read('file-00ab')).rejects.toMatchObject(away);
    await expect(openDiskFileStore(dir.path)).rejects.toMatchObject(away);
  });

  it('whose file cannot be read through says so', async () => {
    const store = await openDiskFileStore(dir.path);
    // A folder can be opened and has a size, but has no bytes.
    await mkdir(join(dir.path, 'blobs', 'ab', 'file-00ab'), { recursive: true });
    const reading = await store.read('file-00ab');
    await expect(buffer(reading)).rejects.toMatchObject({ code: 'store_unavailable' });
  });

  it.each([
    '..',
    '.',
    '../x',
    'a/b',
    '',
    'a',
    'a\0bc',
    '/etc',
    'x'.repeat(300),
    '.hidden',
    'ab..',
    'unfinished/..',
    'A1',
  ])('no path leads out of it: %j', async (id) => {
    const store = await openDiskFileStore(join(dir.path, 'inner'));
    const refused = { code: 'invalid_request' };
    const content = hello();
    await expect(store.write(id, content, NO_LIMIT)).rejects.toMatchObject(refused);
    expect(content.destroyed).toBe(true);
    await expect(store.read(id)).rejects.toMatchObject(refused);
    await expect(store.remove(['file-00ab', id])).rejects.toMatchObject(refused);
    expect(await readdir(dir.path, { recursive: true })).toEqual(['inner']);
  });
});
