// Files as a user moves them, against the real system: up, into a container, out of it, and down again, with
// MongoDB and GridFS. The same on SQLite and a folder is what the other end-to-end tests do.

import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { mongoUrl, TEST_IMAGE } from '../support/servers.ts';
import { readTree, unpack } from '../support/unpack.ts';

const main = resolve(import.meta.dirname, '../../dist/cli/main.js');

describe('files', () => {
  let cluster: Cluster;
  let taskId: string;

  beforeAll(async () => {
    cluster = await startCluster({ storeUrl: mongoUrl() });
    await cluster.signIn('alice');
  });
  afterAll(() => cluster?.stop());

  function cloudai(...args: string[]): Promise<{ code: number; out: string; err: string }> {
    const env = { PATH: process.env.PATH, CLOUDAI_URL: cluster.url, CLOUDAI_TOKEN: cluster.token };
    return new Promise((done) => {
      const child = execFile(
        process.execPath,
        [main, ...args],
        { env: { ...env, XDG_CONFIG_HOME: cluster.dataDir }, timeout: 90_000 },
        (_error, out, err) => done({ code: child.exitCode ?? -1, out, err }),
      );
    });
  }

  it('a folder goes up, and a task reads it and writes its own', async () => {
    const data = `${cluster.dataDir}/data`;
    await mkdir(`${data}/deep`, { recursive: true });
    await writeFile(`${data}/a.txt`, 'one\n');
    await writeFile(`${data}/deep/b ü.txt`, 'two\n');
    expect(await cloudai('upload', data, 'in')).toMatchObject({ code: 0, err: '' });
    const script =
      'mkdir -p /output/sub && cat /input/in/a.txt "/input/in/deep/b ü.txt" > /output/sub/both.txt && ' +
      'printf x > "/output/50%25 #.csv" && head -c 3000000 /dev/urandom > /output/big.bin && : > /output/empty';
    const files = ['-file', 'in/a.txt', '-file', 'in/deep/b ü.txt'];
    const ran = await cloudai(
      'task',
      TEST_IMAGE,
      '-mem',
      '0.0625',
      ...files,
      '-cmd',
      script,
      '--wait',
      '--json',
    );
    expect(ran).toMatchObject({ code: 0 });
    taskId = JSON.parse(ran.out).task_id;
    const listed = await cloudai('task-files', taskId, 'alice', '--quiet');
    expect(listed.out).toBe('50%25 #.csv\nbig.bin\nempty\nsub/both.txt\n');
    expect((await cloudai('files', 'alice', '--quiet')).out).toContain('in/deep/b ü.txt\n');
  });

  it('its files come down, alone or packed, as the program wrote them', async () => {
    const output = `${cluster.dataDir}/output`;
    const told = await cloudai('download', taskId, 'alice', output);
    expect(told).toMatchObject({ code: 0, err: '', out: expect.stringContaining('4 files') });
    expect(await readFile(`${output}/sub/both.txt`, 'utf8')).toBe('one\ntwo\n');
    expect((await cloudai('download', taskId, output)).out).toContain('(4 of them there before)');
    const down = await readTree(output);
    for (const format of ['tar.gz', 'zip'] as const) {
      const reply = await fetch(`${cluster.url}/api/tasks/${taskId}/archive?format=${format}`, {
        headers: { authorization: `Bearer ${cluster.token}` },
      });
      const folder = `${cluster.dataDir}/${format}`;
      await mkdir(folder);
      await writeFile(`${folder}.archive`, Buffer.from(await reply.arrayBuffer()));
      await unpack(`${folder}.archive`, format, folder);
      const unpacked = await readTree(folder);
      expect([...unpacked.keys()]).toEqual([...down.keys()]);
      for (const [path, file] of unpacked) expect(file.content.equals(down.get(path)!.content)).toBe(true);
    }
  });
});
