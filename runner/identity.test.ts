import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tempDir } from '../test/support/servers.ts';
import { loadIdentity } from './identity.ts';

let folder: Awaited<ReturnType<typeof tempDir>>;
beforeEach(async () => {
  folder = await tempDir();
});
afterEach(() => folder.remove());

describe('the identity of a runner', () => {
  const path = () => join(folder.path, 'runner-w1', 'identity');

  it('is made once, kept, and readable by its owner only', async () => {
    const first = await loadIdentity(folder.path, 'w1');
    expect(first).toMatch(/^[0-9a-f]{32}$/);
    expect(await loadIdentity(folder.path, 'w1')).toBe(first);
    expect((await stat(path())).mode & 0o777).toBe(0o600);
    expect((await readFile(path(), 'utf8')).trim()).toBe(first);
  });

  it('is another one for another worker', async () => {
    expect(await loadIdentity(folder.path, 'w1')).not.toBe(await loadIdentity(folder.path, 'w2'));
  });

  it('is made anew when the file holds none', async () => {
    await loadIdentity(folder.path, 'w1');
    await writeFile(path(), 'half');
    const again = await loadIdentity(folder.path, 'w1');
    expect(again).toMatch(/^[0-9a-f]{32}$/);
    expect(await loadIdentity(folder.path, 'w1')).toBe(again);
  });

  it('names the setting when it cannot be kept', async () => {
    await writeFile(join(folder.path, 'file'), '');
    await expect(loadIdentity(join(folder.path, 'file'), 'w1')).rejects.toMatchObject({
      code: 'bad_config',
      message: expect.stringContaining('DATA_DIR'),
    });
  });
});
