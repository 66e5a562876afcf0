import { spawn } from 'node:child_process';
import { readdir, readFile, stat, utimes } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openProcessRuntime } from '../../../shared/adapters/process/open.ts';
import { silentLog } from '../../../shared/platform/log.ts';
import type { ContainerRuntime } from '../../../shared/ports/container-runtime.ts';
import { tempDir, uniqueName } from '../../support/servers.ts';
import { waitFor } from '../../support/wait-for.ts';
import { shell } from './dialects.ts';
import { inputFile } from './file-suite.ts';
import { Ear, launch, makeContainerSpec, removeAll, runToEnd } from './runs.ts';
import { runtimeSuite } from './runtime-suite.ts';

const log = silentLog();

runtimeSuite(
  'process',
  async () => {
    const { path: dataDir, remove } = await tempDir();
    const runtime = await openProcessRuntime({ dataDir, log });
    return {
      runtime,
      reopen: () => openProcessRuntime({ dataDir, log }),
      dispose: async () => {
        await runtime.close();
        await remove();
      },
    };
  },
  { dialect: shell, images: false, memory: false, binaryReplay: true, readOnlyInput: false },
);

describe('the process runtime', () => {
  const workerId = uniqueName('w-');
  let dir: Awaited<ReturnType<typeof tempDir>>;
  let runtime: ContainerRuntime;

  beforeAll(async () => {
    dir = await tempDir();
    runtime = await openProcessRuntime({ dataDir: dir.path, log });
  });
  afterAll(async () => {
    await removeAll(runtime, workerId);
    await dir.remove();
  });

  it('needs a command', async () => {
    await expect(runtime.create(makeContainerSpec(workerId, { command: null }))).rejects.toMatchObject({
      code: 'container_start_failed',
      message: expect.stringContaining('must name a command'),
    });
  });

  it('gives the program a folder of its own and nothing of the runner’s environment', async () => {
    process.env.RUNNER_SECRET = 'hunter2';
    const { ear } = await runToEnd(runtime, makeContainerSpec(workerId, { command: 'pwd; env' }));
    delete process.env.RUNNER_SECRET;
    expect(ear.stdout).toContain(`${dir.path}/processes/`);
    expect(ear.stdout).not.toContain('hunter2');
  });

  it('keeps files in folders of the container, read-only those it was given, and takes them all away', async () => {
    const spec = makeContainerSpec(workerId, {
      hasInput: true,
      command: 'echo x > "$CLOUDAI_OUTPUT/x"; echo "$CLOUDAI_OUTPUT $CLOUDAI_INPUT"',
    });
    await runtime.provideInput(spec, [inputFile('sub/a', 'a')]);
    const { id, ear } = await runToEnd(runtime, spec);
    const folder = `${dir.path}/processes/${id}`;
    expect(ear.stdout).toBe(`${folder}/output ${folder}/input\n`);
    expect((await stat(`${folder}/input/sub/a`)).mode & 0o777).toBe(0o444);
    await runtime.remove(id);
    await expect(stat(folder)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await readdir(`${dir.path}/inputs`)).toEqual([]);
  });

  it('sweeps input that an earlier life left, but not what may be at work', async () => {
    const left = makeContainerSpec(workerId);
    const other = await openProcessRuntime({ dataDir: dir.path, log });
    await other.provideInput(left, [inputFile('a', 'a')]);
    const own = makeContainerSpec(workerId);
    await runtime.provideInput(own, [inputFile('a', 'a')]);
    await runtime.list(workerId);
    expect(await readdir(`${dir.path}/inputs`)).toHaveLength(2);
    const past = new Date(Date.now() - 120_000);
    for (const name of await readdir(`${dir.path}/inputs`))
      await utimes(`${dir.path}/inputs/${name}`, past, past);
    await runtime.list(workerId);
    expect(await readdir(`${dir.path}/inputs`)).toEqual([`${own.taskId}-1`]);
    await runtime.dropInput(own);
    await other.close();
  });

  it('says when a program may not be run', async () => {
    const id = await runtime.create(makeContainerSpec(workerId, { command: ['/etc/passwd'] }));
    await expect(runtime.start(id)).rejects.toMatchObject({
      code: 'container_start_failed',
      message: expect.stringContaining('permission denied'),
    });
  });

  it('takes what a program left running away with it', async () => {
    const command = 'sleep 600 & echo $!; exit 0';
    const { ear, status } = await runToEnd(runtime, makeContainerSpec(workerId, { command }));
    expect(status.exitCode).toBe(0);
    await waitFor(async () => !(await runs(Number(ear.stdout))), { what: 'the left process to be gone' });
  });

  it('keeps the exit code of a program whose runner died in the meantime', async () => {
    const script = `
      import { openProcessRuntime } from ${JSON.stringify(new URL('../../../shared/adapters/process/open.ts', import.meta.url).pathname)};
      import { silentLog } from ${JSON.stringify(new URL('../../../shared/platform/log.ts', import.meta.url).pathname)};
      const runtime = await openProcessRuntime({ dataDir: ${JSON.stringify(dir.path)}, log: silentLog() });
      const id = await runtime.create(${JSON.stringify(makeContainerSpec(workerId, { command: 'echo a; sleep 1; echo b; exit 6' }))});
      await runtime.start(id);
      console.log(id);
      setInterval(() => undefined, 1_000);
    `;
    const runner = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let id = '';
    runner.stdout.on('data', (chunk) => {
      id += chunk;
    });
    await waitFor(() => id.endsWith('\n'), { what: 'the other runner to start it', deadlineMs: 30_000 });
    runner.kill('SIGKILL');
    id = id.trim();
    expect(await runtime.wait(id)).toMatchObject({ state: 'exited', exitCode: 6 });
    const ear = new Ear();
    await (await runtime.replay(id, ear.sink)).done;
    expect(ear.stdout).toBe('a\nb\n');
  });

  it('does not take another process with the same number for its own', async () => {
    const { id, ear } = await launch(runtime, makeContainerSpec(workerId, { command: shell.ignoreTerm() }));
    await ear.hears('up');
    const file = `${dir.path}/processes/${id}/started`;
    const [stat = '', boot] = (await readFile(file, 'utf8')).split('\n');
    const pid = Number.parseInt(stat, 10);
    const { writeFile } = await import('node:fs/promises');
    await writeFile(file, `${stat.replace(/\) (.+)$/, (_, rest: string) => `) ${aged(rest)}`)}\n${boot}\n`);
    expect(await runtime.inspect(id)).toMatchObject({ state: 'exited', exitCode: null });
    await runtime.remove(id);
    expect(await runs(pid)).toBe(true);
    process.kill(-pid, 'SIGKILL');
  });
});

/** The fields behind the name, with another start time. */
function aged(fields: string): string {
  return fields
    .split(' ')
    .map((field, n) => (n === 19 ? String(Number(field) - 1) : field))
    .join(' ');
}

async function runs(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat !== '' && !/\) Z /.test(stat);
}
