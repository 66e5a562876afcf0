import { chmod, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tempDir } from '../../test/support/servers.ts';
import { loadSecrets, makePrivateFolder, readPrivateFile, writePrivateFile } from './secrets.ts';

let dir: string;
let remove: () => Promise<void>;
beforeEach(async () => {
  ({ path: dir, remove } = await tempDir());
});
afterEach(() => remove());

const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

describe('secrets', () => {
  it('are made once, in a folder and a file closed to others', async () => {
    const data = join(dir, 'data');
    await makePrivateFolder(data);
    const first = await loadSecrets(data);
    expect(await modeOf(join(data, 'secrets.json'))).toBe('600');
    expect(first.jwtSecret.length).toBeGreaterThanOrEqual(32);
    expect(first.redisPassword).not.toBe(first.jwtSecret);
    expect(await loadSecrets(data)).toEqual(first);
    expect(await modeOf(data)).toBe('700');
    expect(await readdir(data)).toEqual(['secrets.json']);
  });

  it('differ from folder to folder', async () => {
    const [a, b] = await Promise.all([loadSecrets(join(dir, 'a')), loadSecrets(join(dir, 'b'))]);
    expect(a.jwtSecret).not.toBe(b.jwtSecret);
  });

  it('are closed again when somebody opened the file', async () => {
    await loadSecrets(dir);
    await chmod(join(dir, 'secrets.json'), 0o644);
    await loadSecrets(dir);
    expect(await modeOf(join(dir, 'secrets.json'))).toBe('600');
  });

  it('that are there stay when one is missing or too short', async () => {
    const jwtSecret = 'k'.repeat(40);
    await writeFile(join(dir, 'secrets.json'), JSON.stringify({ jwtSecret, redisPassword: 'short' }));
    const found = await loadSecrets(dir);
    expect(found.jwtSecret).toBe(jwtSecret);
    expect(found.redisPassword.length).toBeGreaterThanOrEqual(32);
    expect(await loadSecrets(dir)).toEqual(found);
  });

  it('are not replaced silently when the file is damaged', async () => {
    await writeFile(join(dir, 'secrets.json'), '{"jwt');
    await expect(loadSecrets(dir)).rejects.toMatchObject({
      code: 'bad_config',
      message: expect.stringContaining(join(dir, 'secrets.json')),
    });
  });
});

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
});
