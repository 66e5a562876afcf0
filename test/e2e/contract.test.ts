// The calls of the contract as a user types them, with curl, on both stores.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { borrowImageName } from '../support/containers.ts';
import { mongoUrl, TEST_IMAGE } from '../support/servers.ts';
import { waitFor } from '../support/wait-for.ts';

const run = promisify(execFile);

/** Runs a line as it stands in a document, with the address and token put in, and reads what it prints. */
async function typed(
  cluster: Cluster,
  line: string,
  token = '',
): Promise<Record<string, never> & { [key: string]: never }> {
  const command = line
    .replaceAll('localhost:8080', cluster.url.slice('http://'.length))
    .replaceAll('<token>', token);
  const { stdout } = await run('/bin/sh', ['-c', command.replace(/^curl /, 'curl -sS --max-time 30 ')]);
  return JSON.parse(stdout);
}

const stores: [string, () => string | undefined][] = [
  ['SQLite', () => undefined],
  ['MongoDB', () => mongoUrl()],
];

describe.each(stores)('the contract on %s', (_name, storeUrl) => {
  let cluster: Cluster;
  let giveBack: () => Promise<void>;
  let token = '';

  beforeAll(async () => {
    giveBack = await borrowImageName(TEST_IMAGE, 'ubuntu:latest');
    const url = storeUrl();
    cluster = await startCluster(url ? { storeUrl: url } : {});
  });
  afterAll(async () => {
    await cluster?.stop();
    await giveBack?.();
  });

  it('registers', async () => {
    const line = `curl -X POST localhost:8080/api/auth/register -H "Content-Type: application/json" -d '{"username":"alice","password":"secure123"}'`;
    expect(await typed(cluster, line)).toMatchObject({ username: 'alice', role: 'admin' });
    expect(await typed(cluster, line)).toMatchObject({ statusCode: 409, code: 'username_taken' });
  });

  it('logs in', async () => {
    const reply = await typed(
      cluster,
      `curl -X POST localhost:8080/api/auth/login -H "Content-Type: application/json" -d '{"username":"alice","password":"secure123"}'`,
    );
    expect(reply).toMatchObject({ token: expect.any(String), user: { username: 'alice' } });
    expect(Date.parse(reply.expires_at as unknown as string)).toBeGreaterThan(Date.now());
    token = reply.token as unknown as string;
  });

  it('submits, runs and gives the output back', async () => {
    const submitted = await typed(
      cluster,
      `curl -X POST localhost:8080/api/tasks -H "Authorization: Bearer <token>" -H "Content-Type: application/json" -d '{"docker_image":"ubuntu:latest","command":"echo hello","cpu_required":1.0,"memory_required":512.0,"tag":"batch-job","k_value":3}'`,
      token,
    );
    expect(submitted).toMatchObject({
      task_id: expect.stringMatching(/^task-/),
      status: 'queued',
      tag: 'batch-job',
    });
    const list = 'curl localhost:8080/api/tasks -H "Authorization: Bearer <token>"';
    await waitFor(
      async () => {
        const { tasks } = (await typed(cluster, list, token)) as unknown as { tasks: { status: string }[] };
        return tasks[0]?.status === 'completed';
      },
      { what: 'the task to be completed in the list', deadlineMs: 30_000 },
    );
    expect(await cluster.call('GET', '/healthz')).toMatchObject({ status: 200 });
    const { stdout } = await run('curl', [
      '-sS',
      '-H',
      `Authorization: Bearer ${token}`,
      `${cluster.url}/api/tasks/${submitted.task_id}/logs`,
    ]);
    expect(stdout).toBe('hello\n');
  });

  it('shows the cluster', async () => {
    expect(await typed(cluster, 'curl localhost:8080/telemetry')).toMatchObject({
      workers_by_state: { ready: 1 },
      tasks_by_state: { completed: 1, queued: 0 },
      queue_depth: 0,
    });
    const { workers } = (await typed(cluster, 'curl localhost:8080/workers')) as unknown as {
      workers: object[];
    };
    expect(workers).toMatchObject([
      { state: 'ready', reserved: { cpu: 0, memory: 0 }, fingerprint: { runtime: 'docker' } },
    ]);
  });
});
