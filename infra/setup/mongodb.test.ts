import { spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { waitFor } from '../../test/support/wait-for.ts';
import { isAlive } from './commands.ts';
import { DebianPackages } from './debian-packages.ts';
import { ensureGo } from './go-toolchain.ts';
import { ensureMongo } from './mongodb.ts';
import { answersOn, freePort } from './ports.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'cloudai-mongodb-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** A program of that name alone in a folder; returns the folder. */
async function program(name: string, body: string): Promise<string> {
  const folder = await mkdtemp(join(dir, 'bin-'));
  await writeFile(join(folder, name), body);
  await chmod(join(folder, name), 0o755);
  return folder;
}

/** Listens where mongod would be told to, and keeps its process id beside its data. */
const LISTENER = `#!${process.execPath}
const at = (flag) => process.argv[process.argv.indexOf(flag) + 1];
require('node:fs').writeFileSync(at('--dbpath') + '/pid', String(process.pid));
require('node:net').createServer().listen(Number(at('--port')), at('--bind_ip'));
`;

describe('the MongoDB server of the tests', () => {
  const folders = (name: string) => ({
    cacheDir: join(dir, 'cache'),
    dataDir: join(dir, name),
    progress: () => {},
  });

  it('is the one that MONGODB_URL names, when that answers', async () => {
    const mongod = await program('mongod', LISTENER);
    const own = await ensureMongo({ ...folders('a'), env: { PATH: `${mongod}:/usr/bin:/bin` } });
    const url = own.url.replace('//', '//user:secret@');
    const given = await ensureMongo({ ...folders('b'), env: { MONGODB_URL: url } });
    expect(given.url).toBe(url);
    expect(given.how).not.toContain('secret');
    await given.stop();
    expect(await answersOn(Number(new URL(url).port))).toBe(true);
    await own.stop();
    expect(await answersOn(Number(new URL(url).port))).toBe(false);
    const env = { MONGODB_URL: `mongodb://127.0.0.1:${await freePort()}/` };
    await expect(ensureMongo({ ...folders('b'), env })).rejects.toMatchObject({ code: 'bad_config' });
  });

  it('does not outlive a parent that was killed', async () => {
    const mongod = await program('mongod', LISTENER);
    const script = `
      const { ensureMongo } = await import(${JSON.stringify(join(import.meta.dirname, 'mongodb.ts'))});
      await ensureMongo({ cacheDir: ${JSON.stringify(dir)}, dataDir: ${JSON.stringify(join(dir, 'c'))}, progress() {} });
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      env: { PATH: `${mongod}:/usr/bin:/bin` },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const pidFile = join(dir, 'c', 'db', 'pid');
    const pid = await waitFor(async () => Number(await readFile(pidFile, 'utf8')), {
      what: 'the server to run',
    });
    expect(isAlive(pid)).toBe(true);
    parent.kill('SIGKILL');
    await waitFor(() => !isAlive(pid), { what: 'the server to end with its parent' });
  });

  it('that ends at once is told of, with what it said', async () => {
    const mongod = await program('mongod', '#!/bin/sh\necho "no room on the disk" >&2\nexit 3\n');
    const starting = ensureMongo({ ...folders('d'), env: { PATH: `${mongod}:/usr/bin:/bin` } });
    await expect(starting).rejects.toThrow(/no room on the disk/);
  });
});

describe('Go for the test server', () => {
  const options = (path: string) => {
    const logFile = join(dir, 'go.log');
    return { path, logFile, packages: new DebianPackages({ logFile, apt: null }) };
  };
  const goThatIs = (version: string, toolchain = '') =>
    program(
      'go',
      `#!/bin/sh\ncase $1 in version) echo go version go${version} linux/amd64;; env) echo ${toolchain};; *) exit 1;; esac\n`,
    );
  const note = () => undefined;

  it('is taken as it is when it is new enough, or fetches a newer one by itself', async () => {
    for (const go of [goThatIs('1.24'), goThatIs('1.30.1'), goThatIs('2.0'), goThatIs('1.22.2', 'auto')]) {
      const path = await go;
      expect((await ensureGo(options(path), note)).program).toBe(join(path, 'go'));
    }
  });

  it('that cannot be had is a matter of settings, with a way out', async () => {
    const empty = join(dir, 'empty');
    await mkdir(empty);
    const bad = [
      empty,
      await goThatIs('1.22.2', 'local'),
      await goThatIs('1.19.8'),
      await program('go', '#!/bin/sh\n'),
    ];
    for (const path of bad) {
      const wanted = ensureGo(options(path), note);
      await expect(wanted).rejects.toMatchObject({ code: 'bad_config' });
      await expect(wanted).rejects.toThrow(/Set MONGODB_URL, or install mongod, or install Go/);
    }
  });
});
