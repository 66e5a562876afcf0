import { chmod, mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tempDir } from '../../test/support/servers.ts';
import { readPrivateFile, writePrivateFile } from './private-file.ts';

let dir: string;
let remove: () => Promise<void>;
beforeEach(async () => {
  ({ path: dir, remove } = await tempDir());
});
afterEach(() => remove());

const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

describe('a private file', () => {
  it('is replaced whole and stays private', async () => {
    const file = join(dir, 'token');
    expect(await readPrivateFile(file)).toBeNull();
    await writePrivateFile(file, 'one');
    await chmod(file, 0o666);
    await writePrivateFile(file, 'two');
    expect(await modeOf(file)).toBe('600');
    expect(await readPrivateFile(file)).toBe('two');
    expect(await readdir(dir)).toEqual(['token']);
  });

  it('that cannot be written leaves no draft', async () => {
    const file = join(dir, 'folder');
    await mkdir(join(file, 'full'), { recursive: true });
    await expect(writePrivateFile(file, 'one')).rejects.toThrow();
    expect(await readdir(dir)).toEqual(['folder']);
  });
});
