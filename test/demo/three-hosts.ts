// The demonstration of infra/demo/three-hosts.sh: a cluster over three hosts of this machine, one of which is cut off
// and healed. Prints what is seen, never what is expected; exits with 1 when a promise was not kept.

import Docker from 'dockerode';
import { DebianPackages } from '../../infra/setup/debian-packages.ts';
import { ensureLocalImage } from '../../infra/setup/local-images.ts';
import type { TaskBody } from '../../shared/contracts/http.ts';
import type { WorkerListReply } from '../../shared/contracts/workers.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import type { Host } from '../support/hosts/host.ts';
import { HostNetwork } from '../support/hosts/network.ts';
import { whyNoHosts } from '../support/hosts/programs.ts';
import { OwnMongo } from '../support/own-mongo.ts';
import { KEPT, OwnRedis } from '../support/own-redis.ts';
import { TEST_IMAGE } from '../support/servers.ts';
import { waitFor } from '../support/wait-for.ts';
import { demonstrate } from './demonstrate.ts';

const LEASE_SECONDS = 6;
const TASKS = 6;
const DEADLINE_MS = 120_000;
const NAMES = ['alpha', 'beta', 'gamma'] as const;

await demonstrate(async ({ say, promise, cleanUp }) => {
  const why = whyNoHosts();
  if (why !== null) throw new Error(`this machine can have no hosts: ${why}`);
  const local = await ensureLocalImage(
    new Docker(),
    new DebianPackages({ logFile: '/dev/null', isRoot: false }),
    say,
  );
  if (local.image !== TEST_IMAGE) throw new Error(local.how);
  const network = await HostNetwork.open();
  cleanUp.push(() => network.remove());
  const redis = await OwnRedis.started(KEPT, network.address);
  cleanUp.push(() => redis.remove());
  const mongo = await OwnMongo.started(network.address);
  cleanUp.push(() => mongo.remove());
  const [alpha, beta, gamma] = await Promise.all(NAMES.map(() => network.add({ docker: true })));
  if (!alpha || !beta || !gamma) throw new Error('the hosts are not there');
  const hosts = new Map<string, Host>([alpha, beta, gamma].map((host, n) => [NAMES[n] ?? '', host]));
  for (const [name, { address }] of hosts)
    say(`host ${name} is up at ${address}, with a Docker engine of its own`);
  say(`the store (MongoDB's protocol) and Redis listen at ${network.address}`);

  const cluster = await startCluster({
    redisUrl: redis.url,
    storeUrl: mongo.url,
    env: {
      WORKER_LEASE_SECONDS: String(LEASE_SECONDS),
      LEADER_LEASE_SECONDS: '3',
      RECONCILE_SECONDS: '2',
      STOP_GRACE_SECONDS: '1',
      NETWORK_SLOTS: '0',
      WORKER_CPUS: '4',
      WORKER_MEMORY_MB: '512',
    },
    runners: [...hosts].map(([id, host]) => ({ id, host })),
  });
  // After the hosts: what they hold of it ends with them.
  cleanUp.splice(1, 0, () => cluster.stop());
  await cluster.signIn('admin');
  say(`an API, a scheduler and three runners form a cluster: ${await statesOf(cluster)}`);

  const command = 'echo up; until [ -e /tmp/go ]; do sleep 0.2; done; echo done';
  const small = { docker_image: TEST_IMAGE, cpu_required: 0.25, memory_required: 32, command };
  const ids: string[] = [];
  for (let n = 0; n < TASKS; n += 1) ids.push((await cluster.submit(small)).task_id);
  const placed = await Promise.all(ids.map((id) => cluster.until(id, ['running'], DEADLINE_MS)));
  for (const { task_id, worker_id } of placed) say(`${task_id} runs on ${worker_id}`);
  promise(new Set(placed.map(({ worker_id }) => worker_id)).size === 3, 'tasks run on all three hosts');

  const lost = placed.filter(({ worker_id }) => worker_id === 'gamma').map(({ task_id }) => task_id);
  await gamma.cut();
  say(`the cable of gamma is out; ${lost.length} of the tasks run there, and nobody is told`);
  await untilState(cluster, 'gamma', 'down');
  say(`the cluster has missed gamma for a lease of ${LEASE_SECONDS} s: ${await statesOf(cluster)}`);
  for (const id of lost) {
    const moved = await waitFor(
      async () => {
        const task = await cluster.task(id);
        return task.status === 'running' && task.worker_id !== 'gamma' ? task : null;
      },
      { what: `${id} to run elsewhere`, deadlineMs: DEADLINE_MS },
    );
    say(`${id} runs on ${moved.worker_id} now, as attempt ${moved.attempt}`);
  }
  for (const id of lost) {
    await waitFor(async () => (await gamma.docker.running(id)).length === 0, {
      what: `gamma to end ${id} by itself`,
      deadlineMs: DEADLINE_MS,
    });
  }
  promise(true, 'gamma, alone, has ended its containers of these tasks by its own clock');

  await gamma.heal();
  say('the cable of gamma is in again');
  await untilState(cluster, 'gamma', 'ready');
  say(`gamma is back: ${await statesOf(cluster)}`);
  for (const id of ids) await letGo([...hosts.values()], id);
  const ended = await Promise.all(ids.map((id) => cluster.ended(id, DEADLINE_MS)));
  for (const task of ended) say(`${task.task_id} ${task.status}: ${attemptsOf(task)}`);
  promise(
    ended.every(({ status }) => status === 'completed'),
    `all ${TASKS} tasks completed`,
  );
  promise(
    ended.every(({ attempts }) => attempts.filter(({ state }) => state === 'completed').length === 1),
    'the result of each was committed once',
  );
  const outputs = await Promise.all(ids.map((id) => cluster.logs(id)));
  promise(
    outputs.every((text) => text === 'up\ndone\n'),
    'the output of each is whole and there once',
  );
  const { task_id } = await cluster.submit({ ...small, worker: 'gamma', command: 'echo back' });
  const again = await cluster.ended(task_id, DEADLINE_MS);
  promise(again.status === 'completed' && again.worker_id === 'gamma', 'gamma runs tasks again');
});

async function workersOf(cluster: Cluster) {
  return (await cluster.call<WorkerListReply>('GET', '/workers')).body.workers;
}

async function statesOf(cluster: Cluster): Promise<string> {
  return (await workersOf(cluster))
    .map(({ worker_id, state }) => `${worker_id} ${state}`)
    .sort()
    .join(', ');
}

async function untilState(cluster: Cluster, id: string, state: string): Promise<void> {
  const isSo = async () =>
    (await workersOf(cluster)).some((one) => one.worker_id === id && one.state === state);
  await waitFor(isSo, { what: `${id} to be ${state}`, deadlineMs: DEADLINE_MS });
}

/** Tells the programs of a task to end. */
async function letGo(hosts: readonly Host[], taskId: string): Promise<void> {
  for (const { docker } of hosts) {
    for (const id of await docker.running(taskId)) {
      const exec = await docker.client.getContainer(id).exec({ Cmd: ['touch', '/tmp/go'] });
      await exec.start({});
    }
  }
}

function attemptsOf({ attempts }: TaskBody): string {
  return attempts
    .map(({ attempt, worker_id, state }) => `attempt ${attempt} on ${worker_id} ${state}`)
    .join(', ');
}
