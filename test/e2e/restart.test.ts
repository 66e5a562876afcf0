// Processes that die in the middle of work: nothing is lost, nothing runs twice.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { containersOf } from '../support/containers.ts';
import { TEST_IMAGE } from '../support/servers.ts';
import { waitFor } from '../support/wait-for.ts';

let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster({ env: { LEADER_LEASE_SECONDS: '3' } });
  await cluster.signIn('alice');
});
afterAll(() => cluster?.stop());

/** Prints a number every tenth of a second. */
const counting = (to: number) => ({
  docker_image: TEST_IMAGE,
  cpu_required: 0.5,
  memory_required: 64,
  command: `n=0; while [ $n -lt ${to} ]; do n=$((n+1)); echo line $n; sleep 0.1; done`,
});
const lines = (to: number) => Array.from({ length: to }, (_, n) => `line ${n + 1}\n`).join('');

describe('in the middle of work', () => {
  it('the API is killed: what was accepted runs, and is there when it is back', async () => {
    const ids = await Promise.all(
      [20, 21, 22].map(async (to) => (await cluster.submit(counting(to))).task_id),
    );
    await cluster.until(ids[0]!, ['running']);
    await cluster.api.end('SIGKILL');
    await expect(cluster.task(ids[0]!)).rejects.toThrow();
    cluster.api.start();
    await cluster.ready();
    for (const [n, id] of ids.entries()) {
      expect(await cluster.ended(id)).toMatchObject({ status: 'completed', attempt: 1 });
      expect(await cluster.logs(id)).toBe(lines(20 + n));
    }
  });

  it('the scheduler is killed: the next one goes on where it stopped', async () => {
    const before = (await cluster.submit(counting(5))).task_id;
    await cluster.scheduler.end('SIGKILL');
    const meanwhile = (await cluster.submit(counting(3))).task_id;
    cluster.scheduler.start();
    for (const id of [before, meanwhile]) {
      expect(await cluster.ended(id)).toMatchObject({ status: 'completed', attempt: 1 });
    }
  });

  it('the runner is killed: its container goes on and the next runner adopts it with all output', async () => {
    const id = (await cluster.submit(counting(30))).task_id;
    await waitFor(async () => (await cluster.logs(id)).includes('line 5\n'), {
      what: 'some output',
      deadlineMs: 30_000,
    });
    const [container] = await containersOf(id);
    await cluster.runners[0]!.end('SIGKILL');
    expect(await containersOf(id)).toMatchObject([{ id: container!.id, state: 'running' }]);
    cluster.runners[0]!.start();
    expect(await cluster.ended(id)).toMatchObject({ status: 'completed', attempt: 1 });
    expect(await cluster.logs(id)).toBe(lines(30));
    await waitFor(async () => (await containersOf(id)).length === 0, { what: 'the container to be removed' });
  });

  it('the runner is stopped by the operator: work goes on when it is back', async () => {
    const id = (await cluster.submit(counting(30))).task_id;
    await waitFor(async () => (await cluster.logs(id)).includes('line 5\n'), {
      what: 'some output',
      deadlineMs: 30_000,
    });
    expect(await cluster.runners[0]!.end('SIGTERM')).toBe(0);
    cluster.runners[0]!.start();
    expect(await cluster.ended(id)).toMatchObject({ status: 'completed', attempt: 1 });
    expect(await cluster.logs(id)).toBe(lines(30));
  });
});
