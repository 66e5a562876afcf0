// The package `cloudai` as users get it: packed, installed where no other package is, and run.

import { execFile } from 'node:child_process';
import { copyFile, readdir, readFile, realpath, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tempDir } from '../support/servers.ts';
import { makeWorkerBody, type SmallApi, startSmallApi } from '../support/small-api.ts';

const root = resolve(import.meta.dirname, '../..');
const run = promisify(execFile);
const DEADLINE_MS = 120_000;
const npm = (args: readonly string[], cwd: string) => run('npm', args, { cwd, timeout: DEADLINE_MS });

let dir: string;
let remove: () => Promise<void>;
let api: SmallApi;
let version: string;

/** The folder that npm installs into when asked for a prefix. */
const installed = () => join(dir, 'lib/node_modules');

beforeAll(async () => {
  ({ path: dir, remove } = await tempDir());
  api = await startSmallApi();
  ({ version } = JSON.parse(await readFile(join(root, 'cli/package.json'), 'utf8')));
  await npm(['pack', './cli', '--silent', '--pack-destination', dir], root);
  const file = join(dir, `cloudai-${version}.tgz`);
  await npm(['install', '--global', '--offline', '--silent', '--prefix', dir, file], dir);
});
afterAll(async () => {
  await api?.close();
  await remove?.();
});

function cloudai(file: string, args: readonly string[]) {
  // The folder of Node itself, for the first line of the program looks for it.
  const env = { PATH: `${dirname(process.execPath)}:/usr/bin:/bin`, HOME: dir, CLOUDAI_URL: api.url };
  return run(file, args, { cwd: dir, env, timeout: 30_000 });
}

describe('the package', () => {
  it('holds one program, its manual page and its papers, and no other package', async () => {
    const files = await readdir(join(installed(), 'cloudai'), { recursive: true, withFileTypes: true });
    expect(files.flatMap((file) => (file.isFile() ? [file.name] : [])).sort()).toEqual([
      'LICENSE',
      'README.md',
      'THIRD_PARTY.md',
      'cloudai.1',
      'cloudai.js',
      'package.json',
    ]);
    expect(await readdir(installed())).toEqual(['cloudai']);
    const papers = await readFile(join(installed(), 'cloudai/dist/THIRD_PARTY.md'), 'utf8');
    expect(papers).toMatch(/^## commander - \d/m);
  });

  it('puts the command and its page where the shell and man(1) look', async () => {
    expect(await realpath(join(dir, 'bin/cloudai'))).toMatch(/cloudai\/dist\/cloudai\.js$/);
    expect(await readFile(join(dir, 'share/man/man1/cloudai.1'), 'utf8')).toContain(`"cloudai ${version}"`);
  });

  it('tells its version and shows the workers of a cluster', async () => {
    api.on('GET /workers', () => ({ workers: [makeWorkerBody()] }));
    const program = join(dir, 'bin/cloudai');
    expect((await cloudai(program, ['--version'])).stdout).toBe(`${version}\n`);
    const { stdout, stderr } = await cloudai(program, ['workers', '--json']);
    expect({ workers: JSON.parse(stdout).workers, stderr }).toEqual({
      workers: [makeWorkerBody()],
      stderr: '',
    });
    await expect(cloudai(program, ['no-such-command'])).rejects.toMatchObject({ code: 2 });
  });

  it('is one file that runs alone, wherever it is put', async () => {
    const alone = join(dir, 'cloudai.mjs');
    await copyFile(join(installed(), 'cloudai/dist/cloudai.js'), alone);
    await rm(join(dir, 'lib'), { recursive: true });
    expect((await cloudai(alone, ['--version'])).stdout).toBe(`${version}\n`);
  });
});
