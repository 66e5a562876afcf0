// A machine joins by hand: the built command line, API and scheduler, and runners that wait, each its own process.

import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WorkerListReply } from '../../shared/contracts/workers.ts';
import { type Cluster, freePort, Part, startCluster } from '../support/cluster.ts';
import { TEST_IMAGE } from '../support/servers.ts';
import { waitFor } from '../support/wait-for.ts';

const main = resolve(import.meta.dirname, '../../dist/cli/main.js');
const CLUSTER_TOKEN = 'the-token-of-this-cluster-'.repeat(2);
let cluster: Cluster;
/** Where a runner waits later, and one that holds another token from the start. */
let port: number;
let strangerPort: number;
const parts: Part[] = [];

function cloudai(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  return new Promise((done) => {
    const env = { PATH: process.env.PATH, XDG_CONFIG_HOME: `${cluster.dataDir}/config`, NO_COLOR: '1' };
    const signedIn = { ...env, CLOUDAI_URL: cluster.url, CLOUDAI_TOKEN: cluster.token };
    const child = execFile(
      process.execPath,
      [main, ...args],
      { env: signedIn, timeout: 120_000 },
      (_error, out, err) => done({ code: child.exitCode ?? -1, out, err }),
    );
  });
}

function startRunner(name: string, at: number, token: string): Part {
  const env = {
    DATA_DIR: `${cluster.dataDir}/${name}`,
    CLUSTER_TOKEN: token,
    RUNTIME: 'process',
    LOG_LEVEL: 'info',
  };
  const listen = ['--wait', '--listen', `127.0.0.1:${at}`];
  const part = new Part('runner', env, `${cluster.dataDir}/${name}.log`, listen);
  parts.push(part);
  part.start();
  return part;
}

const stateOf = async (id: string) => {
  const { body } = await cluster.call<WorkerListReply>('GET', '/workers');
  return body.workers.find(({ worker_id }) => worker_id === id)?.state ?? 'none';
};
const until = (id: string, state: string) =>
  waitFor(async () => (await stateOf(id)) === state, { what: `${id} to be ${state}`, deadlineMs: 60_000 });

beforeAll(async () => {
  port = await freePort();
  strangerPort = await freePort();
  cluster = await startCluster({ runners: [], env: { CLUSTER_TOKEN } });
  startRunner('stranger', strangerPort, 'the-token-of-another-cluster-'.repeat(2));
  await cluster.signIn('root');
});
afterAll(async () => {
  await Promise.all(parts.map((part) => part.end('SIGTERM')));
  await cluster?.stop();
});

describe('cloudai register', () => {
  it('keeps calling a machine where nobody is, and shows that', async () => {
    const ran = await cloudai('register', 'worker-3', `127.0.0.1:${port}`);
    expect(ran.code).toBe(0);
    expect(ran.out).toMatch(/^worker-3 is unreachable: nobody answers at 127\.0\.0\.1:\d+: .*refused/);
    const { out } = await cloudai('workers');
    expect(out).toMatch(/worker-3 +unreachable .*never/);
    expect((await cloudai('status')).out).toContain('1 unreachable');
    expect((await cloudai('drain', 'worker-3')).code).toBe(1);
  });

  it('has the machine in the cluster once a runner waits there, and tasks run on it', async () => {
    startRunner('late', port, CLUSTER_TOKEN);
    await until('worker-3', 'ready');
    const task = ['-mem', '0.0625', '--wait', '--', 'echo', 'hello from here'];
    const ran = await cloudai('dispatch', 'worker-3', TEST_IMAGE, ...task);
    expect(ran).toMatchObject({ code: 0, out: 'hello from here\n' });
    expect((await cloudai('register', 'worker-3', `127.0.0.1:${port}`)).err).toContain('is up already');
    expect((await cloudai('remove-worker', 'worker-3')).code).toBe(0);
  });

  it('says when the runner there does not hold the token, and keeps nothing', async () => {
    const at = `127.0.0.1:${strangerPort}`;
    const refused = await waitFor(
      async () => {
        const ran = await cloudai('register', 'worker-9', at);
        // Until it listens nobody is there.
        return ran.code === 0 ? null : ran;
      },
      { what: 'the refusal', deadlineMs: 60_000 },
    );
    expect(refused).toMatchObject({ code: 1, out: '' });
    expect(refused.err).toContain(`the runner at ${at} does not hold this cluster's token`);
    expect(await stateOf('worker-9')).toBe('none');
  });

  it('takes a machine that was removed in again, under another name', async () => {
    await waitFor(async () => (await fetch(`http://127.0.0.1:${port}/`)).ok, {
      what: 'the runner to wait again',
      deadlineMs: 60_000,
    });
    const ran = await cloudai('register', 'worker-4', `127.0.0.1:${port}`, '--wait', '--timeout', '90');
    expect(ran.code).toBe(0);
    expect(ran.out).toMatch(/^worker-4 has joined and is ready: /);
    expect(await stateOf('worker-3')).toBe('none');
  });
});
