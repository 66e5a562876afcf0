import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makePrivateFolder } from '../../shared/platform/private-file.ts';
import { tempDir } from '../../test/support/servers.ts';
import { clusterTokenFile, loadClusterToken, loadSecrets } from './secrets.ts';

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

describe('the token of the cluster', () => {
  it('is made once, in a file closed to others, that holds nothing else', async () => {
    const token = await loadClusterToken(dir);
    expect(token).toMatch(/^[0-9a-f]{64}$/);
    expect(await readFile(clusterTokenFile(dir), 'utf8')).toBe(`${token}\n`);
    expect(await modeOf(clusterTokenFile(dir))).toBe('600');
    expect(await loadClusterToken(dir)).toBe(token);
  });

  it('that somebody wrote there counts, and one too short is named, not replaced', async () => {
    await writeFile(clusterTokenFile(dir), `${'t'.repeat(32)}\n`);
    expect(await loadClusterToken(dir)).toBe('t'.repeat(32));
    await writeFile(clusterTokenFile(dir), 'short-one\n');
    const error = await loadClusterToken(dir).catch((cause) => cause);
    expect(error).toMatchObject({ code: 'bad_config', message: expect.stringContaining('cluster-token') });
    expect(error.message).not.toContain('short-one');
  });
});
