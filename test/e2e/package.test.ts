// The two packages as users get them, packed and put where no other package is: the command line, and the typed client
// in the package of the system.

import { execFile, spawn } from 'node:child_process';
import { copyFile, mkdir, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { openTestApi } from '../api/harness.ts';
import { Mover } from '../api/live/stage.ts';
import { readDocument } from '../support/documents.ts';
import { fencedBlocks } from '../support/markdown.ts';
import { tempDir } from '../support/servers.ts';
import { makeWorkerBody, type SmallApi, startSmallApi } from '../support/small-api.ts';
import { waitFor } from '../support/wait-for.ts';

const root = resolve(import.meta.dirname, '../..');
const run = promisify(execFile);
const DEADLINE_MS = 120_000;
const npm = (args: readonly string[], cwd: string) => run('npm', args, { cwd, timeout: DEADLINE_MS });
const node = (args: readonly string[], cwd: string) =>
  run(process.execPath, args, { cwd, timeout: DEADLINE_MS });

let dir: string;
let remove: () => Promise<void>;

beforeAll(async () => {
  ({ path: dir, remove } = await tempDir());
});
afterAll(() => remove?.());

describe('the command line', () => {
  let api: SmallApi;
  let version: string;

  /** The folder that npm installs into when asked for a prefix. */
  const installed = () => join(dir, 'lib/node_modules');

  beforeAll(async () => {
    api = await startSmallApi();
    ({ version } = JSON.parse(await readFile(join(root, 'cli/package.json'), 'utf8')));
    await npm(['pack', './cli', '--silent', '--pack-destination', dir], root);
    const file = join(dir, `cloudai-${version}.tgz`);
    await npm(['install', '--global', '--offline', '--silent', '--prefix', dir, file], dir);
  });
  afterAll(() => api?.close());

  function cloudai(file: string, args: readonly string[]) {
    // The folder of Node itself, for the first line of the program looks for it.
    const env = { PATH: `${dirname(process.execPath)}:/usr/bin:/bin`, HOME: dir, CLOUDAI_URL: api.url };
    return run(file, args, { cwd: dir, env, timeout: 30_000 });
  }

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

describe('the package of the system', () => {
  const EXAMPLE = fencedBlocks(readDocument('docs/DOCUMENTATION.md'))
    .filter(({ section, language }) => section === 'Typed client' && language === 'ts')
    .flatMap(({ lines }) => lines)
    .join('\n');
  const CHECKED = { strict: true, module: 'nodenext', target: 'es2022', skipLibCheck: false };
  const IN_NODE = { ...CHECKED, lib: ['es2023'], types: ['node'] };
  const IN_BROWSERS = { ...CHECKED, lib: ['es2023', 'dom'], types: [], noEmit: true };
  const typescript = join(root, 'node_modules/typescript/bin/tsc');
  let project: string;
  let home: string;

  /** What the compiler says of a program in a project of its own; empty when it has nothing to say. */
  async function faultsOf(program: string, compilerOptions: object): Promise<string> {
    await writeFile(join(project, 'program.ts'), program);
    await writeFile(
      join(project, 'tsconfig.json'),
      JSON.stringify({ compilerOptions, include: ['program.ts'] }),
    );
    return node([typescript, '-p', '.'], project).then(
      () => '',
      ({ stdout, stderr }) => `${stdout}${stderr}`,
    );
  }

  beforeAll(async () => {
    project = join(dir, 'project');
    home = join(project, 'node_modules/cloudai-system');
    await mkdir(home, { recursive: true });
    await writeFile(join(project, 'package.json'), JSON.stringify({ type: 'module', private: true }));
    // Of what packing does before, the build is there and the command line is another test's.
    await node(['infra/setup/bootstrap.mjs', 'client'], root);
    await npm(['pack', '--ignore-scripts', '--silent', '--pack-destination', dir], root);
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    // As npm does it, without the packages that the client has no use for.
    const file = join(dir, `cloudai-system-${version}.tgz`);
    await run('tar', ['-xzf', file, '-C', home, '--strip-components=1'], { timeout: DEADLINE_MS });
    for (const name of ['socket.io-client', '@types/node']) {
      const link = join(project, 'node_modules', name);
      await mkdir(dirname(link), { recursive: true });
      await symlink(join(root, 'node_modules', name), link);
    }
  });

  it('holds the typed client, with declarations for every file of it', async () => {
    const files = await readdir(join(home, 'dist/client'));
    expect(files).toContain('index.js');
    const code = files.filter(
      (name) => name.endsWith('.js') && !name.endsWith('-words.js') && name !== 'words.js',
    );
    expect(code.filter((name) => !files.includes(name.replace(/\.js$/, '.d.ts')))).toEqual([]);
    const all = await readdir(home, { recursive: true });
    expect(all.filter((name) => /(?<!\.d)\.ts$|\.test\./.test(name))).toEqual([]);
  });

  it('is checked strictly and runs as the reference shows it', async () => {
    expect(await faultsOf(EXAMPLE, IN_NODE)).toBe('');
    const test = await openTestApi();
    onTestFinished(() => test.close());
    const alice = await test.signUp('alice');
    const program = spawn(process.execPath, ['program.js'], {
      cwd: project,
      env: { PATH: process.env.PATH, CLOUDAI_URL: await test.api.start(), CLOUDAI_TOKEN: alice.token },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    onTestFinished(() => void program.kill('SIGKILL'));
    let out = '';
    for (const stream of [program.stdout, program.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        out += text;
      });
    }
    const ended = new Promise<number | null>((done) => program.once('exit', (code) => done(code)));
    const until = <T>(what: string, seen: () => T | Promise<T>) =>
      waitFor(() => (program.exitCode === null ? seen() : Promise.reject(new Error(out))), { what });
    const said = (text: string) => until(`"${text}" from it`, () => out.includes(text));

    const mover = new Mover(test);
    const newest = async () => (await test.store.tasks.list({}, { limit: 1 })).tasks[0];
    const queued = await until('its task', newest);
    const running = await mover.start(queued);
    await said(`${queued.id} running`);
    await mover.write(running, 1, 3, 'epoch');
    await said('epoch 3');
    await mover.end(running);
    expect(await ended).toBe(0);
    expect(out.match(/^epoch \d$/gm)).toEqual(['epoch 1', 'epoch 2', 'epoch 3']);
    expect(out).toContain('ended as completed with 0\n');
    expect(out).toContain('there is no worker worker-9');
  });

  it('is checked in a browser, too, and says what is wrong with a program', async () => {
    const page = `import { createClient, type TaskBody } from 'cloudai-system/client';
      const task: TaskBody = await createClient({ url: location.origin }).getTask('task-1');
      document.title = task.status;`;
    expect(await faultsOf(page, IN_BROWSERS)).toBe('');
    const wrong = page.replace("'task-1'", '1').replace('document.title', 'const reason: number');
    const faults = await faultsOf(wrong, IN_BROWSERS);
    expect(faults.match(/error TS2345|error TS2322/g)?.sort()).toEqual(['error TS2322', 'error TS2345']);
    expect(await faultsOf("import 'cloudai-system/dist/client/words.js';", IN_BROWSERS)).toContain(
      'cloudai-system',
    );
  });

  it('can be put into a page: nothing of Node is in it', async () => {
    await writeFile(
      join(project, 'page.js'),
      `import { createClient, createLive } from 'cloudai-system/client';
       globalThis.made = [createClient, createLive];`,
    );
    const output = await build({
      root: project,
      configFile: false,
      logLevel: 'error',
      build: { write: false, minify: false, rolldownOptions: { input: join(project, 'page.js') } },
    });
    const chunks = [output].flat().flatMap((one) => ('output' in one ? one.output : []));
    const code = chunks.map((chunk) => ('code' in chunk ? chunk.code : '')).join('\n');
    expect(code).toContain('/api/tasks');
    expect(code).toContain('reconnection');
    // What Vite puts in the place of a module of Node.
    expect(code).not.toMatch(/__vite-browser-external|["']node:|\brequire\(/);
  });
});
