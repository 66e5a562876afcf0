// Only what can be tried beside a Docker that must stay as it is: nothing here starts or stops an engine.

import { spawn } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tempDir } from '../../test/support/servers.ts';
import { DebianPackages } from './debian-packages.ts';
import { leftoverDaemon, removeStalePidFile } from './docker-daemon.ts';
import { ensureDocker } from './docker-engine.ts';

let dir: string;
let remove: () => Promise<void>;
let dockerHost: string | undefined;
beforeEach(async () => {
  ({ path: dir, remove } = await tempDir());
  dockerHost = process.env.DOCKER_HOST;
});
afterEach(async () => {
  if (dockerHost === undefined) delete process.env.DOCKER_HOST;
  else process.env.DOCKER_HOST = dockerHost;
  await remove();
});

function ensure(host: string) {
  if (host !== '') process.env.DOCKER_HOST = host;
  const packages = new DebianPackages({ logFile: join(dir, 'apt.log'), isRoot: false });
  return ensureDocker({ host, dataDir: dir, logFile: join(dir, 'dockerd.log'), packages }, () => undefined);
}

describe('a Docker that runs', () => {
  it('is used as it is, and left running', async () => {
    const found = await ensure('');
    expect(found.how).toMatch(/^\d+\.\d+.* \(was there\)$/);
    expect(found.host).toMatch(/^unix:\/\/\//);
    expect(await found.stop()).toBeNull();
    expect(await found.docker.ping()).toBeTruthy();
  });

  it('that DOCKER_HOST names is asked and no other', async () => {
    const { host } = await ensure('');
    expect((await ensure(host)).how).toContain(`was there: ${host}`);
    await expect(ensure(`unix://${dir}/nothing.sock`)).rejects.toMatchObject({
      code: 'bad_config',
      message: expect.stringContaining(`DOCKER_HOST is unix://${dir}/nothing.sock, but`),
    });
  });

  it('that never answers is given up', async () => {
    const silent = createServer(() => undefined);
    const socket = join(dir, 'silent.sock');
    await new Promise<void>((done) => silent.listen(socket, done));
    try {
      await expect(ensure(`unix://${socket}`)).rejects.toMatchObject({ code: 'bad_config' });
    } finally {
      silent.closeAllConnections();
      silent.close();
    }
  });
});

describe('the process file of a daemon', () => {
  it('is removed when its process is gone or is another program', async () => {
    for (const pid of ['4194305', String(process.pid), 'garbage']) {
      const file = join(dir, `pid-${pid}`);
      await writeFile(file, pid);
      await removeStalePidFile(file);
      await expect(readFile(file)).rejects.toMatchObject({ code: 'ENOENT' });
    }
    await removeStalePidFile(join(dir, 'never-there'));
  });

  it('stays when a daemon lives that does not answer', async () => {
    // A process by that name; it is not Docker and ends with the test.
    await mkdir(join(dir, 'bin'));
    const program = join(dir, 'bin/dockerd');
    await writeFile(program, await readFile('/bin/sleep'), { mode: 0o755 });
    const daemon = spawn(program, ['60']);
    await new Promise((done) => daemon.once('spawn', done));
    try {
      const file = join(dir, 'pid');
      await writeFile(file, String(daemon.pid));
      await expect(removeStalePidFile(file)).rejects.toThrow(/does not answer on its default socket/);
      expect(await readFile(file, 'utf8')).toBe(String(daemon.pid));
      await writeFile(join(dir, 'dockerd.json'), JSON.stringify({ pid: daemon.pid }));
      expect(await leftoverDaemon(dir)).toBe(daemon.pid);
    } finally {
      daemon.kill('SIGKILL');
    }
  });

  it('of an earlier run is believed only while it is a daemon', async () => {
    expect(await leftoverDaemon(dir)).toBeNull();
    await writeFile(join(dir, 'dockerd.json'), JSON.stringify({ pid: process.pid }));
    expect(await leftoverDaemon(dir)).toBeNull();
  });
});
