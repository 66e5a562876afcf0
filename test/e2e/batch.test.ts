// A file of tasks from the command line to containers and back.

import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TaskBody } from '../../shared/contracts/http.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { TEST_IMAGE } from '../support/servers.ts';

const main = resolve(import.meta.dirname, '../../dist/cli/main.js');
const sweep = resolve(import.meta.dirname, '../../docs/examples/sweep.yaml');
let cluster: Cluster;

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

function cloudai(args: readonly string[], input = ''): Promise<Ran> {
  const { PATH } = process.env;
  const home = { XDG_CONFIG_HOME: `${cluster.dataDir}/config`, NO_COLOR: '1' };
  const env = { PATH, ...home, CLOUDAI_URL: cluster.url, CLOUDAI_TOKEN: cluster.token };
  return new Promise((done) => {
    const child = execFile(process.execPath, [main, ...args], { env, timeout: 120_000 }, (_error, out, err) =>
      done({ code: child.exitCode ?? -1, out, err }),
    );
    child.stdin?.end(input);
  });
}

beforeAll(async () => {
  cluster = await startCluster();
  await cluster.signIn('alice');
});
afterAll(() => cluster?.stop());

describe('cloudai submit', () => {
  it('runs the sweep of the documentation, each task with its own values, and exits 0', async () => {
    const { code, out, err } = await cloudai(['submit', '-f', sweep, '--wait', '--json']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const { tasks, wait } = JSON.parse(out) as { tasks: TaskBody[]; wait: object };
    expect(tasks).toHaveLength(7);
    expect(wait).toMatchObject({ total: 7, completed: 7, left: 0, not_completed: [] });
    const last = tasks.find(({ name }) => name === 'train-lr0.001-depth16');
    const file = await cluster.call<string>('GET', `/api/tasks/${last?.task_id}/files/result.txt`);
    expect(file.body).toBe('lr 0.001, depth 16\n');
    expect(await cloudai(['wait', '--tag', 'sweep-example'])).toMatchObject({
      code: 0,
      out: 'All 7 tasks completed.\n',
    });
  });

  it('exits 1 when a task failed, and names it', async () => {
    const task = { docker_image: TEST_IMAGE, name: 'code', memory_required: 32, cpu_required: 0.1 };
    const body = { ...task, command: 'exit $MATRIX_CODE', matrix: { code: [0, 3] } };
    const { code, out } = await cloudai(['submit', '-f', '-', '--wait'], JSON.stringify(body));
    expect(code).toBe(1);
    expect(out).toContain('1 of 2 tasks completed, 1 failed.');
    expect(out).toContain('code 3');
  });

  it('stops with the first that fails and cancels the rest', async () => {
    const task = { docker_image: TEST_IMAGE, memory_required: 32, cpu_required: 0.1, tag: 'rest' };
    const tasks = [
      { ...task, command: 'exit 1' },
      { ...task, worker: 'worker-nowhere', matrix: { n: [1, 2, 3] } },
    ];
    const argv = ['submit', '-f', '-', '--wait', '--fail-fast', '--cancel-rest'];
    expect((await cloudai(argv, JSON.stringify(tasks))).code).toBe(1);
    const ended = await cloudai(['list-tasks', 'cancelled', '--tag', 'rest', '--quiet']);
    expect(ended.out.trim().split('\n')).toHaveLength(3);
    const waited = await cloudai(['wait', '-', '--quiet'], ended.out);
    expect(waited).toMatchObject({ code: 1, out: expect.stringMatching(/^(task-\w+\n){3}$/) });
  });
});
