// `npm run worker` as an operator meets it: a machine waits, is added with one call, runs tasks, is stopped and started
// again, and waits once more when it was removed while it was off.

import { type ChildProcess, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TaskBody } from '../../shared/contracts/http.ts';
import type { WorkerBody } from '../../shared/contracts/workers.ts';
import { type Cluster, freePort, startCluster } from '../support/cluster.ts';
import { TOKEN } from '../support/played-adoption.ts';
import { waitFor } from '../support/wait-for.ts';

const worker = resolve(import.meta.dirname, '../../dist/infra/setup/worker.js');
let cluster: Cluster;
let address: string;
const started: { child: ChildProcess; ended: Promise<number | null> }[] = [];

beforeAll(async () => {
  cluster = await startCluster({ runners: [], env: { CLUSTER_TOKEN: TOKEN, WORKER_LEASE_SECONDS: '4' } });
  await cluster.signIn('admin');
  address = `127.0.0.1:${await freePort()}`;
});
afterAll(async () => {
  for (const { child, ended } of started) {
    child.kill('SIGTERM');
    await ended;
  }
  await cluster?.stop();
});

function npmRunWorker(args: readonly string[] = [], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, [worker, ...args], {
    env: {
      ...process.env,
      REDIS_URL: '',
      STORE_URL: '',
      DATA_DIR: `${cluster.dataDir}/machine`,
      CLUSTER_TOKEN: TOKEN,
      RUNTIME: 'process',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      text += chunk;
    });
  }
  const ended = new Promise<number | null>((done) => child.once('exit', (code) => done(code)));
  started.push({ child, ended });
  return {
    ended,
    output: () => text,
    stop: () => {
      child.kill('SIGINT');
      return ended;
    },
    says: (what: RegExp) =>
      waitFor(() => what.test(text), { what: `${what} in its output`, deadlineMs: 30_000 }).catch((error) => {
        throw new Error(`${error.message}\n${text}`);
      }),
  };
}

async function dispatch(): Promise<TaskBody> {
  const body = { docker_image: 'none', command: 'echo here', memory_required: 16, cpu_required: 0.1 };
  const { task_id } = await cluster.submit({ ...body, worker: 'worker-3' });
  return cluster.ended(task_id);
}

const register = () =>
  cluster.call<WorkerBody>('POST', '/api/workers', { id: 'worker-3', address }).then(({ body }) => body);

describe('npm run worker', () => {
  it('waits, is added, runs tasks, and goes on with that when it is started again', async () => {
    const first = npmRunWorker(['--listen', address]);
    await first.says(new RegExp(`waiting at ${address} to be added`));
    expect(await register()).toMatchObject({ worker_id: 'worker-3' });
    await first.says(/worker-3 is up/);
    expect(await dispatch()).toMatchObject({ status: 'completed', worker_id: 'worker-3' });
    expect(await first.stop()).toBe(0);
    expect(first.output()).toMatch(/NO ISOLATION[\s\S]*adopted as worker-3[\s\S]*Stopped\./);
    expect(first.output()).not.toContain(TOKEN);

    const second = npmRunWorker(['--listen', address]);
    await second.says(/goes on as worker-3[\s\S]*worker-3 is up/);
    expect(await dispatch()).toMatchObject({ status: 'completed' });

    const third = npmRunWorker();
    expect(await third.ended).toBe(1);
    expect(third.output()).toMatch(/already runs on .*[\s\S]*npm run worker -- --listen/);
    expect(await second.stop()).toBe(0);
  });

  it('waits again when it was removed while it was off, and can be added again', async () => {
    await waitFor(async () => (await cluster.call('DELETE', '/api/workers/worker-3')).status === 204, {
      what: 'the removal',
      deadlineMs: 20_000,
    });
    const again = npmRunWorker(['--listen', address]);
    await again.says(/worker-3 was removed [\s\S]*waiting at/);
    await register();
    await again.says(/worker-3 is up/);
    expect(await dispatch()).toMatchObject({ status: 'completed' });
    expect(await again.stop()).toBe(0);
  });

  it('says what is wrong before it installs or starts anything', async () => {
    const run = npmRunWorker(['--listen', 'here'], { CLUSTER_TOKEN: 'short', DATA_DIR: '/nowhere/at-all' });
    expect(await run.ended).toBe(78);
    expect(run.output()).toMatch(/RUNNER_LISTEN[\s\S]*CLUSTER_TOKEN|CLUSTER_TOKEN[\s\S]*RUNNER_LISTEN/);
    expect(run.output()).not.toMatch(/Docker|short/);
  });
});
