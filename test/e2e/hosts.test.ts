// Machines on a network that fails: a link is cut, a worker loses sight of Redis alone, Redis is killed, emptied and away.
// Runners are real processes on hosts with engines of their own; nothing is lost, and nothing is done twice.

import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ErrorBody, ReadyReply, TaskBody } from '../../shared/contracts/http.ts';
import type { WorkerListReply } from '../../shared/contracts/workers.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import type { Host } from '../support/hosts/host.ts';
import { HostNetwork } from '../support/hosts/network.ts';
import { whyNoHosts } from '../support/hosts/programs.ts';
import { OwnMongo } from '../support/own-mongo.ts';
import { KEPT, OwnRedis } from '../support/own-redis.ts';
import { TEST_IMAGE } from '../support/servers.ts';
import { waitFor } from '../support/wait-for.ts';

const LEASE_SECONDS = 6;
/** The load is there for the faults to fall into, not to keep the machine busy. */
const BETWEEN_SUBMISSIONS_MS = 1_000;
const why = whyNoHosts();

describe.skipIf(why !== null)(`hosts${why === null ? '' : ` (skipped: ${why})`}`, () => {
  let network: HostNetwork;
  let redis: OwnRedis;
  let mongo: OwnMongo;
  let cluster: Cluster;
  let hosts: Record<string, Host>;

  beforeAll(async () => {
    network = await HostNetwork.open();
    redis = await OwnRedis.started(KEPT, network.address);
    mongo = await OwnMongo.started(network.address);
    const [one, two] = await Promise.all([network.add({ docker: true }), network.add({ docker: true })]);
    hosts = { one, two };
    cluster = await startCluster({
      redisUrl: redis.url,
      storeUrl: mongo.url,
      env: {
        WORKER_LEASE_SECONDS: String(LEASE_SECONDS),
        LEADER_LEASE_SECONDS: '3',
        RECONCILE_SECONDS: '2',
        STOP_GRACE_SECONDS: '1',
        NETWORK_SLOTS: '0',
        WORKER_CPUS: '4',
        WORKER_MEMORY_MB: '1024',
      },
      runners: Object.entries(hosts).map(([id, host]) => ({ id, host })),
    });
    await cluster.signIn('alice');
  });
  afterAll(async () => {
    await network?.remove();
    await cluster?.stop();
    await mongo?.remove();
    await redis?.remove();
  });

  const untilReady = (count: number) =>
    waitFor(
      async () => {
        const { workers } = (await cluster.call<WorkerListReply>('GET', '/workers')).body;
        return workers.filter(({ state }) => state === 'ready').length === count;
      },
      { what: `${count} ready workers`, deadlineMs: 30_000 },
    );

  it('that are cut off lose their tasks to others, end them, commit nothing of them, and come back', async () => {
    const ids = await submitWaiting(4);
    const placed = await Promise.all(ids.map((id) => cluster.until(id, ['running'])));
    const cutOff = placed.filter(({ worker_id }) => worker_id === 'one').map(({ task_id }) => task_id);
    expect(cutOff).toHaveLength(2);
    const { one, two } = hosts as { one: Host; two: Host };
    await one.cut();
    // This one ends well while nobody can hear of it.
    await letGo(one, cutOff[0]!);
    for (const id of cutOff) {
      await waitFor(async () => (await one.docker.running(id)).length === 0, {
        what: `${id} to be stopped where it was`,
        deadlineMs: 30_000,
      });
    }
    for (const id of cutOff) {
      const again = await waitFor(
        async () => {
          const task = await cluster.task(id);
          return task.status === 'running' && task.worker_id === 'two' ? task : null;
        },
        { what: `${id} to run on the other host`, deadlineMs: 30_000 },
      );
      expect(again).toMatchObject({ attempt: 2 });
    }
    await one.heal();
    await untilReady(2);
    expect(await runOn('one')).toMatchObject({ status: 'completed', attempt: 1, worker_id: 'one' });
    await Promise.all(placed.map(({ task_id }) => letGo(two, task_id)));
    for (const id of ids) {
      const ended = await cluster.ended(id);
      expect(ended).toMatchObject({ status: 'completed', worker_id: 'two' });
      expect(ended.attempts.map(({ state, reason, worker_id }) => [state, reason, worker_id])).toEqual(
        cutOff.includes(id)
          ? [
              ['lost', 'worker_lost', 'one'],
              ['completed', null, 'two'],
            ]
          : [['completed', null, 'two']],
      );
      expect(await cluster.logs(id)).toBe('up\ndone\n');
    }
  });

  it('that see the store but not Redis lose and end their tasks all the same', async () => {
    const ids = await submitWaiting(2);
    const placed = await Promise.all(ids.map((id) => cluster.until(id, ['running'])));
    const [id] = placed.filter(({ worker_id }) => worker_id === 'two').map(({ task_id }) => task_id);
    const { one, two } = hosts as { one: Host; two: Host };
    for (const way of ['in', 'out'] as const) await two.drop({ way, port: redis.port });
    await waitFor(async () => (await two.docker.running(id!)).length === 0, {
      what: 'its container to be stopped',
      deadlineMs: 30_000,
    });
    await waitFor(async () => (await one.docker.running(id!)).length === 1, {
      what: 'it to run on the other host',
      deadlineMs: 30_000,
    });
    await two.heal();
    await untilReady(2);
    expect(await runOn('two')).toMatchObject({ status: 'completed', worker_id: 'two' });
    for (const each of ids) await letGo(one, each);
    for (const each of ids) {
      const ended = await cluster.ended(each);
      expect(ended).toMatchObject({ status: 'completed', attempt: each === id ? 2 : 1, worker_id: 'one' });
    }
  });

  it('go on through a Redis that is killed, emptied and away for longer than a lease', async () => {
    const long = await submitWaiting(2);
    for (const id of long) await cluster.until(id, ['running']);
    const load = submitSteadily();
    const has = (count: number) =>
      waitFor(() => load.ids.size >= count, { what: `${count} submissions`, deadlineMs: 60_000 });
    await has(2);
    await redis.kill();
    await redis.start();
    await has(6);
    await redis.call('FLUSHALL');
    await has(10);
    await redis.kill();
    const awayAt = performance.now();
    await waitFor(() => performance.now() - awayAt > 2 * LEASE_SECONDS * 1_000, {
      what: 'an outage of two leases',
      deadlineMs: 60_000,
    });
    const during = load.ids.size;
    await redis.start();
    await has(during + 3);
    await load.stop();
    for (const id of load.ids) {
      expect((await cluster.ended(id)).attempts).toMatchObject([{ state: 'completed' }]);
    }
    for (const host of Object.values(hosts)) for (const id of long) await letGo(host, id);
    for (const id of long) {
      const ended = await cluster.ended(id);
      expect(ended.attempts).toMatchObject([{ state: 'completed' }]);
      expect(await cluster.logs(id)).toBe('up\ndone\n');
    }
  });

  it('hold results while the store is killed, and commit them when it is back', async () => {
    const [first, second] = (await submitWaiting(2)) as [string, string];
    for (const id of [first, second]) await cluster.until(id, ['running']);
    await mongo.kill();
    const refused = await cluster.call<ErrorBody>('POST', '/api/tasks', { ...small, command: 'true' });
    expect(refused).toMatchObject({ status: 503, body: { code: 'store_unavailable' } });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    const { body } = await cluster.call<ReadyReply>('GET', '/readyz');
    expect(body).toMatchObject({
      status: 'unavailable',
      checks: { store: { ok: false, message: expect.stringContaining('the store') }, queue: { ok: true } },
    });
    // One ends while nobody can write it down.
    for (const host of Object.values(hosts)) await letGo(host, first);
    await waitFor(async () => (await stateOf(first)) === 'exited', {
      what: 'the first to end',
      deadlineMs: 30_000,
    });
    await mongo.start();
    expect((await cluster.ended(first)).attempts).toMatchObject([{ state: 'completed' }]);
    for (const host of Object.values(hosts)) await letGo(host, second);
    expect((await cluster.ended(second)).attempts).toMatchObject([{ state: 'completed' }]);
    for (const id of [first, second]) expect(await cluster.logs(id)).toBe('up\ndone\n');
    expect(await runOn('one')).toMatchObject({ status: 'completed', attempt: 1 });
  });

  /** Of a task's container, by what the engines say. */
  async function stateOf(taskId: string): Promise<string | undefined> {
    const filters = { label: [`cloudai.task=${taskId}`] };
    const found = await Promise.all(
      Object.values(hosts).map(({ docker }) => docker.client.listContainers({ all: true, filters })),
    );
    return found.flat()[0]?.State;
  }

  /** Submits one after another, each twice under one key, until it is stopped; any answer but 201 is a fault. */
  function submitSteadily() {
    const ids = new Set<string>();
    let isOver = false;
    const work = (async () => {
      for (let n = 0; !isOver; n += 1) {
        const task = { ...small, command: `echo ${n}` };
        const headers = { 'idempotency-key': `steady-${n}` };
        const replies = [];
        for (const _ of [1, 2])
          replies.push(await cluster.call<TaskBody>('POST', '/api/tasks', task, headers));
        expect(replies.map(({ status }) => status)).toEqual([201, 201]);
        expect(replies[0]?.body.task_id).toBe(replies[1]?.body.task_id);
        ids.add(replies[0]?.body.task_id ?? '');
        await delay(BETWEEN_SUBMISSIONS_MS);
      }
    })();
    work.catch(() => undefined);
    return {
      ids,
      stop: () => {
        isOver = true;
        return work;
      },
    };
  }

  /** Tasks that print, and wait until they are let go. */
  async function submitWaiting(count: number): Promise<string[]> {
    const command = 'echo up; until [ -e /tmp/go ]; do sleep 0.1; done; echo done';
    const tasks: TaskBody[] = [];
    for (let n = 0; n < count; n += 1) tasks.push(await cluster.submit({ ...small, command }));
    return tasks.map(({ task_id }) => task_id);
  }

  async function letGo({ docker }: Host, taskId: string): Promise<void> {
    for (const id of await docker.running(taskId)) {
      const exec = await docker.client.getContainer(id).exec({ Cmd: ['touch', '/tmp/go'] });
      await exec.start({});
    }
  }

  async function runOn(worker: string): Promise<TaskBody> {
    const { task_id } = await cluster.submit({ ...small, worker, command: 'echo here' });
    return cluster.ended(task_id);
  }
});

const small = { docker_image: TEST_IMAGE, cpu_required: 0.25, memory_required: 32 };
