// The demonstration of infra/demo/compose.sh: infra/compose.yaml whole, used through its proxy, broken and mended. Prints
// what is seen, never what is expected; exits with 1 when a promise was not kept.

import { writeFile } from 'node:fs/promises';
import Docker from 'dockerode';
import { createLive, type Live } from '../../client/live.ts';
import { DebianPackages } from '../../infra/setup/debian-packages.ts';
import { ensureLocalImage } from '../../infra/setup/local-images.ts';
import type { WorkerListReply } from '../../shared/contracts/workers.ts';
import { collect, openClient, type TestClient } from '../api/grpc/client.ts';
import { HostNetwork } from '../support/hosts/network.ts';
import { whyNoHosts } from '../support/hosts/programs.ts';
import { TEST_IMAGE } from '../support/servers.ts';
import { waitFor } from '../support/wait-for.ts';
import { Composed, NET } from './composed.ts';
import { type Demonstration, demonstrate } from './demonstrate.ts';
import { DEADLINE_MS, Door } from './door.ts';
import { askPrometheus } from './prometheus.ts';
import { makeStandIns } from './stand-ins.ts';

/** So many take longer than all that breaks meanwhile. */
const LINES = 600;
const COUNT = `n=0; while [ $n -lt ${LINES} ]; do n=$((n+1)); echo $n; sleep 0.1; done`;
const COUNTED = Array.from({ length: LINES }, (_, n) => `${n + 1}`);
const GRPC_PORT = 50_051;
const APIS = ['api-1', 'api-2'];
const SCHEDULERS = ['scheduler-1', 'scheduler-2'];
const PROCESSES = [...APIS, ...SCHEDULERS, 'runner'];

await demonstrate(async (on) => {
  const { say, cleanUp } = on;
  const why = whyNoHosts();
  if (why !== null) throw new Error(`this machine can have no hosts: ${why}`);
  const packages = new DebianPackages({ logFile: '/dev/null', isRoot: false });
  const local = await ensureLocalImage(new Docker(), packages, say);
  if (local.image !== TEST_IMAGE) throw new Error(local.how);
  const network = await HostNetwork.open();
  cleanUp.push(() => network.remove());
  const host = await network.add({ docker: true });
  say(`a host with a Docker engine of its own is up at ${host.address}`);
  const images = await makeStandIns(host.docker.client);
  say(`images from this machine's programs: ${images.names.join(', ')}`);

  const cluster = await Composed.prepared(host, images);
  cleanUp.unshift(() => cluster.compose('down', '--volumes', '--timeout', '5'));
  const logs = process.env.COMPOSE_LOGS;
  if (logs) cleanUp.unshift(async () => writeFile(logs, await cluster.compose('logs', '--no-color')));
  await cluster.compose('up', '-d');
  say('docker compose up -d: done');
  const door = new Door(cluster.url);
  const grpc = openClient(GRPC_PORT, undefined, host.address);
  cleanUp.unshift(async () => grpc.close());
  await use(on, door, grpc, host.address);
  // Who is not signed in yet is not let in, and does not try again.
  const live = createLive({ url: cluster.url, token: door.token });
  cleanUp.unshift(async () => live.close());
  await breakIt(on, cluster, door, live, grpc);
  // What is open the proxy lets end by itself, for half a minute.
  live.close();
  grpc.close();
  await askDoors(on, cluster);
  if (images.hasPrometheus) await askPrometheus(cluster.prometheusUrl, on);
  else say('no prometheus on the PATH: it is left out');
  await takeDown(on, cluster);
});

async function use({ say, promise }: Demonstration, door: Door, grpc: TestClient, address: string) {
  await door.ready();
  say('/readyz answers through the proxy');
  await door.signIn();
  const worker = await waitFor(
    async () =>
      (await door.call<WorkerListReply>('GET', '/workers')).workers.find(({ state }) => state === 'ready'),
    { what: 'a ready worker', deadlineMs: DEADLINE_MS, everyMs: 200 },
  );
  const tasks = worker.fingerprint?.task_network_why ?? worker.fingerprint?.task_network;
  say(`${worker.worker_id} at ${worker.address} is ready; its network of tasks: ${tasks}`);
  const hello = await door.submit('echo hello');
  const { status } = await door.ended(hello);
  promise(status === 'completed', 'a task submitted through the proxy completed');
  promise((await door.output(hello)) === 'hello\n', 'its output came back');
  const { body } = await grpc.call('GetTask', { task_id: hello }, door.token);
  promise(body.status === 'TASK_STATE_COMPLETED', 'gRPC tells of it through the proxy');

  const targets = [`${address} 8080`, `${NET}.1 9102`, `${NET}.10 6379`, `${NET}.11 27017`];
  const tries = targets.map((at) => `nc -w 3 ${at} </dev/null && echo "reached ${at}"`);
  const nosy = await door.submit(`${tries.join('; ')}; echo tried`);
  await door.ended(nosy);
  const reached = await door.output(nosy);
  const isShut = reached.includes('tried') && !reached.includes('reached');
  promise(isShut, 'a task reaches neither the proxy nor the runner, Redis or the store');

  promise((await door.telemetry(2)) === 2, 'two looks at /ws/telemetry through the proxy');
  promise(await door.pollsByCookie(), "Socket.io's long polling keeps to one API by the cookie");
}

async function breakIt(
  { say, promise }: Demonstration,
  cluster: Composed,
  door: Door,
  live: Live,
  grpc: TestClient,
) {
  const counting = await door.submit(COUNT);
  const lines: string[] = [];
  let hasEnded = false;
  live.subscribe(
    `task:${counting}`,
    {
      lines: (event) => void lines.push(...event.lines.map(({ line }) => line)),
      logsEnded: () => {
        hasEnded = true;
      },
    },
    {},
  );
  await waitFor(() => lines.length > 10, { what: 'lines by WebSocket', deadlineMs: DEADLINE_MS });
  say(`${lines.length} lines of a running task came by WebSocket`);

  const watch = door.watch();
  for (const api of APIS) {
    const before = (await cluster.state(api)).restarts;
    await cluster.crash(api);
    say(`${api} is killed`);
    const isBack = async () => {
      const { running, restarts } = await cluster.state(api);
      return running && restarts > before && (await door.leadsTo(api));
    };
    await waitFor(isBack, { what: `the proxy to use ${api}`, deadlineMs: DEADLINE_MS, everyMs: 200 });
    say(`${api} is back, and the proxy uses it`);
  }
  const { asked, failed } = await watch.end();
  say(`meanwhile ${asked} calls through the proxy, ${failed} of them without the answer of an API`);
  promise(failed < asked / 10, 'the proxy goes on with the API that is there');

  const leader = await leaderOf(cluster);
  await cluster.crash(leader);
  say(`${leader}, which leads, is killed`);
  const after = await door.ended(await door.submit('echo placed'));
  promise(after.status === 'completed', `a task ran after that; ${await leaderOf(cluster)} leads`);

  await cluster.compose('restart', 'runner');
  say(`docker compose restart runner: done; ${lines.length} lines so far`);
  const counted = await door.ended(counting);
  await waitFor(() => hasEnded, { what: 'the end of its lines', deadlineMs: DEADLINE_MS });
  const inOne = counted.status === 'completed' && counted.attempt === 1;
  promise(inOne, 'the task ran through all of that, in one attempt');
  promise(lines.join() === COUNTED.join(), `all ${LINES} lines came by WebSocket, each once`);
  const watched = collect(grpc.stream('WatchTask', { task_id: counting }, door.token));
  const fault = await watched.ended;
  promise(fault === null && watched.lines.length === LINES, `and ${LINES} by gRPC`);
}

async function leaderOf(cluster: Composed): Promise<string> {
  return waitFor(
    async () => {
      for (const name of SCHEDULERS) {
        const { running } = await cluster.state(name);
        if (running && /^cloudai_scheduler_leading 1$/m.test(await cluster.metricsOf(name))) return name;
      }
      return null;
    },
    { what: 'a scheduler that leads', deadlineMs: DEADLINE_MS, everyMs: 200 },
  );
}

async function askDoors({ say, promise }: Demonstration, cluster: Composed) {
  const unhealthy = async () => {
    const states = await Promise.all(PROCESSES.map(async (name) => (await cluster.state(name)).health));
    return PROCESSES.filter((_, n) => states[n] !== 'healthy');
  };
  await waitFor(async () => (await unhealthy()).length === 0, {
    what: 'every process to be healthy',
    deadlineMs: DEADLINE_MS,
    everyMs: 500,
  });
  const told: string[] = [];
  for (const name of PROCESSES) {
    const series = (await cluster.metricsOf(name)).split('\n').filter((line) => line.startsWith('cloudai_'));
    told.push(`${name} ${series.length}`);
  }
  say(`series of metrics: ${told.join(', ')}`);
  promise(
    told.every((one) => !one.endsWith(' 0')),
    'every process is healthy and tells its metrics',
  );
}

async function takeDown({ say, promise }: Demonstration, cluster: Composed) {
  await cluster.compose('stop', 'runner');
  const said = await cluster.compose('run', '--rm', '--no-deps', 'runner', 'runner', '--remove-networks');
  promise(said.includes('removed: cloudai-'), 'the network of tasks is taken off the machine');
  const begun = performance.now();
  await cluster.compose('stop');
  say(`docker compose stop: ${((performance.now() - begun) / 1_000).toFixed(1)} s`);
  for (const name of [...PROCESSES, 'redis']) {
    const { code } = await cluster.state(name);
    if (code !== 0) say(`${name} ended with ${code}`);
    promise(code === 0, `${name} ended in good order`);
  }
  await cluster.compose('down', '--volumes');
  const left = await cluster.left();
  for (const one of left) say(`left: ${one}`);
  promise(left.length === 0, 'docker compose down leaves no container, network or volume');
}
