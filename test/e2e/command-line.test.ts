// The command line as a user runs it, against the real system.

import { execFile } from 'node:child_process';
import { readFile, rm, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, freePort, startCluster } from '../support/cluster.ts';
import { TEST_IMAGE } from '../support/servers.ts';
import { waitFor } from '../support/wait-for.ts';

const main = resolve(import.meta.dirname, '../../dist/cli/main.js');
let cluster: Cluster;

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function cloudai(args: readonly string[], input = '', env: Record<string, string> = {}): Promise<Ran> {
  return new Promise((done) => {
    const child = execFile(
      process.execPath,
      [main, ...args],
      {
        env: { PATH: process.env.PATH, XDG_CONFIG_HOME: `${cluster.dataDir}/config`, NO_COLOR: '1', ...env },
        timeout: 60_000,
      },
      (_error, out, err) => done({ code: child.exitCode ?? -1, out, err }),
    );
    child.stdin?.end(input);
  });
}

beforeAll(async () => {
  cluster = await startCluster();
  await cluster.signIn('alice');
});
afterAll(() => cluster?.stop());

describe('cloudai', () => {
  it('signs in and keeps the token for its owner only', async () => {
    const ran = await cloudai(
      ['login', '--url', cluster.url, '--username', 'alice', '--password-stdin'],
      'secure123\n',
    );
    expect(ran).toMatchObject({ code: 0 });
    const profile = `${cluster.dataDir}/config/cloudai/config.json`;
    expect((await stat(profile)).mode & 0o777).toBe(0o600);
    expect(await readFile(profile, 'utf8')).toContain(cluster.url);
  });

  it('runs a task with the options as users write them, and waits for it', async () => {
    const ran = await cloudai([
      'task',
      TEST_IMAGE,
      '-name',
      'my-task',
      '-cpu_cores',
      '0.5',
      '-mem',
      '0.0625',
      '--wait',
      '--json',
      '--',
      'echo',
      'hello',
    ]);
    expect(ran.code).toBe(0);
    const task = JSON.parse(ran.out);
    expect(task).toMatchObject({
      status: 'completed',
      name: 'my-task',
      cpu_required: 0.5,
      memory_required: 64,
    });
    expect((await cloudai(['logs', task.task_id])).out).toBe('hello\n');
  });

  it('gives back 1 when the task failed', async () => {
    const ran = await cloudai(['task', TEST_IMAGE, '-mem', '0.0625', '--wait', '--', 'sh', '-c', 'exit 3']);
    expect(ran.code).toBe(1);
  });

  it('dispatches to a worker, lists, explains, cancels', async () => {
    const submitted = await cloudai(['dispatch', 'worker-nowhere', TEST_IMAGE, '--json']);
    const { task_id } = JSON.parse(submitted.out);
    expect((await cloudai(['list-tasks', 'queued'])).out).toContain(task_id);
    expect((await cloudai(['explain', task_id])).out).toContain('worker-nowhere');
    expect((await cloudai(['queue'])).out).toContain(task_id);
    expect((await cloudai(['cancel', task_id])).code).toBe(0);
    expect(JSON.parse((await cloudai(['list-tasks', 'queued', '--json'])).out).tasks).toEqual([]);
  });

  it('shows workers and status', async () => {
    expect(JSON.parse((await cloudai(['workers', '--json'])).out).workers).toMatchObject([
      { state: 'ready' },
    ]);
    expect(JSON.parse((await cloudai(['status', '--json'])).out)).toMatchObject({
      workers_by_state: { ready: 1 },
    });
  });

  it('decides again what was decided for the tasks so far', async () => {
    const first = JSON.parse((await cloudai(['list-tasks', 'completed', '--json'])).out).tasks.at(-1);
    // Records follow the placements within moments.
    const replayed = await waitFor(
      async () => {
        const reply = JSON.parse((await cloudai(['replay', '--show', first.task_id, '--json'])).out);
        return reply.passes >= 2 && reply;
      },
      { what: 'the records of two passes', deadlineMs: 30_000 },
    );
    expect(replayed).toMatchObject({ different: 0, other_rules: 0, gaps: [] });
    expect(replayed.moments.at(-1)).toMatchObject({ kind: 'placed', worker: first.worker_id });
    const told = await cloudai(['replay']);
    expect([told.code, told.out]).toEqual([0, expect.stringContaining('decided again: identical')]);
  });

  it('tells by its exit code what went wrong, and says what to do', async () => {
    expect((await cloudai(['no-such-command'])).code).toBe(2);
    expect((await cloudai(['task', 'bad image!'])).code).toBe(2);
    const away = await cloudai(['workers', '--url', `http://127.0.0.1:${await freePort()}`]);
    expect(away.code).toBe(3);
    expect(away.err).toContain('127.0.0.1');
    expect((await cloudai(['list-tasks', '--token', 'wrong'])).code).toBe(4);
  });
});

describe('a backup of the running cluster', () => {
  it('is put back into an empty one: tasks, their output and accounts are there again', async () => {
    const file = `${cluster.dataDir}/kept.tar`;
    const login = () =>
      cloudai(['login', '--url', cluster.url, '--username', 'alice', '--password-stdin'], 'secure123\n');
    expect(await login()).toMatchObject({ code: 0 });
    const word = ['--', 'echo', 'kept in the backup'];
    const made = await cloudai(['task', TEST_IMAGE, '-cpu_cores', '0.5', '--wait', '--quiet', ...word]);
    expect(made).toMatchObject({ code: 0 });
    const id = made.out.split('\n')[0] as string;
    expect(await cloudai(['backup', file])).toMatchObject({ code: 0 });

    const parts = [cluster.api, cluster.scheduler, ...cluster.runners];
    await Promise.all(parts.map((part) => part.end('SIGTERM')));
    for (const end of ['', '-wal', '-shm']) await rm(`${cluster.dataDir}/cloudai.db${end}`, { force: true });
    for (const part of parts) part.start();
    await cluster.ready();
    await cluster.signIn('somebody');
    const other = { CLOUDAI_TOKEN: cluster.token };
    expect((await cloudai(['list-tasks', '--quiet'], '', other)).out).toBe('');

    const back = await cloudai(['restore', file, '--yes'], '', other);
    expect(back).toMatchObject({ code: 0 });
    expect(back.out).toContain('All records were replaced');
    expect(await login()).toMatchObject({ code: 0 });
    const shown = JSON.parse((await cloudai(['list-tasks', '--json'])).out) as { tasks: object[] };
    expect(shown.tasks).toContainEqual(expect.objectContaining({ task_id: id, status: 'completed' }));
    expect((await cloudai(['logs', id])).out).toBe('kept in the backup\n');
    // Work goes on.
    expect(await cloudai(['task', TEST_IMAGE, '-cpu_cores', '0.5', '--wait'])).toMatchObject({ code: 0 });
  });
});
