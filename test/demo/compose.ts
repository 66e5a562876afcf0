// The demonstration of infra/demo/compose.sh: infra/compose.yaml whole, used through its proxy, broken and mended. Prints
// what is seen, never what is expected; exits with 1 when a promise was not kept.

import { setTimeout as delay } from 'node:timers/promises';
import Docker from 'dockerode';
import { WebSocket } from 'ws';
import { createLive } from '../../client/live.ts';
import { DebianPackages } from '../../infra/setup/debian-packages.ts';
import { ensureLocalImage } from '../../infra/setup/local-images.ts';
import type { TaskBody } from '../../shared/contracts/http.ts';
import type { WorkerListReply } from '../../shared/contracts/workers.ts';
import { collect, openClient } from '../api/grpc/client.ts';
import { ask } from '../support/cluster.ts';
import { HostNetwork } from '../support/hosts/network.ts';
import { whyNoHosts } from '../support/hosts/programs.ts';
import { TEST_IMAGE } from '../support/servers.ts';
import { waitFor } from '../support/wait-for.ts';
import { Composed, NET } from './composed.ts';
import { demonstrate } from './demonstrate.ts';
import { askPrometheus } from './prometheus.ts';
import { makeStandIns } from './stand-ins.ts';

const DEADLINE_MS = 120_000;
const LINES = 600;
const APIS = ['api-1', 'api-2'];
const SCHEDULERS = ['scheduler-1', 'scheduler-2'];
/** As many lines, over a minute or more. */
const COUNT = `n=0; while [ $n -lt ${LINES} ]; do n=$((n+1)); echo $n; sleep 0.1; done`;
const COUNTED = Array.from({ length: LINES }, (_, n) => `${n + 1}`);

await demonstrate(async ({ say, promise, cleanUp }) => {
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
  await cluster.compose('up', '-d');
  say('docker compose up -d: done');
  const ready = async () => (await fetch(`${cluster.url}/readyz`)).status === 200;
  await waitFor(ready, { what: '/readyz', deadlineMs: DEADLINE_MS, everyMs: 200 });
  say('/readyz answers through the proxy');

  let token = '';
  const call = <T>(method: string, path: string, body?: unknown) =>
    ask<T>(cluster.url, { token, deadlineMs: 60_000 }, method, path, body);
  const person = { username: 'alice', password: 'secure123' };
  await call('POST', '/api/auth/register', person);
  token = (await call<{ token: string }>('POST', '/api/auth/login', person)).body.token;
  const submit = async (command: string) => {
    const task = { docker_image: TEST_IMAGE, cpu_required: 0.2, memory_required: 32, command };
    return (await call<TaskBody>('POST', '/api/tasks', task)).body.task_id;
  };
  const task = async (id: string) => (await call<TaskBody>('GET', `/api/tasks/${id}`)).body;
  const until = (id: string, ...states: string[]) =>
    waitFor(
      async () => {
        const now = await task(id);
        return states.includes(now.status) ? now : null;
      },
      { what: `${id} to be ${states.join(' or ')}`, deadlineMs: DEADLINE_MS, everyMs: 100 },
    );
  const ended = (id: string) => until(id, 'completed', 'failed');
  const output = async (id: string) => (await call<string>('GET', `/api/tasks/${id}/logs`)).body;

  const worker = await waitFor(
    async () => (await call<WorkerListReply>('GET', '/workers')).body.workers.find((w) => w.state === 'ready'),
    { what: 'a ready worker', deadlineMs: DEADLINE_MS, everyMs: 200 },
  );
  const tasks = worker.fingerprint?.task_network_why ?? worker.fingerprint?.task_network;
  say(`worker ${worker.worker_id} at ${worker.address} is ready; its network of tasks: ${tasks}`);
  const hello = await submit('echo hello');
  promise((await ended(hello)).status === 'completed', 'a task submitted through the proxy completed');
  promise((await output(hello)) === 'hello\n', 'its output came back');

  const reach = [`${host.address} 8080`, `${NET}.1 9102`, `${NET}.10 6379`, `${NET}.11 27017`];
  const tries = reach.map((at) => `nc -w 3 ${at} </dev/null && echo "reached ${at}"`).join('; ');
  const nosy = await submit(`${tries}; true`);
  await ended(nosy);
  promise((await output(nosy)) === '', 'a task reaches neither the proxy nor the runner nor Redis nor the store');

  const looks = await telemetryOf(cluster.url);
  promise(looks === 2, 'two looks at /ws/telemetry through the proxy');
  promise(await pollsWithCookie(cluster.url, token), "Socket.io's long polling keeps to one API by the cookie");

  // ── what lives through crashes ──
  const live = createLive({ url: cluster.url, token });
  cleanUp.unshift(async () => live.close());
  const grpc = openClient(50_051, undefined, host.address);
  cleanUp.unshift(async () => grpc.close());
  const { body: seen } = await grpc.call('GetTask', { task_id: hello }, token);
  promise(seen.status === 'TASK_STATE_COMPLETED', 'gRPC tells of the task through the proxy');
  const counting = await submit(COUNT);
  const lines: string[] = [];
  let logsEnded = false;
  live.subscribe(
    `task:${counting}`,
    {
      lines: (event) => void lines.push(...event.lines.map(({ line }) => line)),
      logsEnded: () => {
        logsEnded = true;
      },
    },
    {},
  );
  await waitFor(() => lines.length > 10, { what: 'lines by WebSocket', deadlineMs: DEADLINE_MS });
  say(`${lines.length} lines of a running task came by WebSocket`);
  const door = watchDoor(cluster.url);
  for (const api of APIS) {
    const before = (await cluster.state(api)).restarts;
    await cluster.crash(api);
    say(`${api} is killed`);
    const back = async () => {
      const { running, restarts } = await cluster.state(api);
      return running && restarts > before;
    };
    await waitFor(back, { what: `${api} to be back`, deadlineMs: DEADLINE_MS, everyMs: 200 });
    // The proxy looks every two seconds.
    await waitFor(() => door.leadsTo(api), { what: `the proxy to use ${api}`, everyMs: 200 });
    say(`${api} is back, and the proxy uses it`);
  }
  const { asked, failed } = await door.close();
  say(`meanwhile ${asked} calls through the proxy, ${failed} without an answer of an API`);
  promise(failed < asked / 10, 'the proxy goes on with the API that is there');

  const leader = await leaderOf(cluster);
  await cluster.crash(leader);
  say(`${leader}, which leads, is killed`);
  const after = await submit('echo placed');
  promise((await ended(after)).status === 'completed', `a task is placed after that; ${await leaderOf(cluster)} leads`);

  await cluster.compose('restart', 'runner');
  say(`docker compose restart runner: done; the task has told ${lines.length} lines so far`);
  const counted = await ended(counting);
  await waitFor(() => logsEnded, { what: 'the end of its lines', deadlineMs: DEADLINE_MS });
  promise(counted.status === 'completed' && counted.attempt === 1, 'the task ran through all of that, in one attempt');
  promise(lines.join() === COUNTED.join(), `all ${LINES} lines came by WebSocket, each once`);
  const watched = collect(grpc.stream('WatchTask', { task_id: counting }, token));
  const fault = await watched.ended;
  promise(fault === null && watched.lines.length === LINES, `and ${LINES} by gRPC, through the proxy`);

  await askDoors(cluster, say, promise);
  if (images.hasPrometheus) await askPrometheus(cluster.prometheusUrl, say, promise);
  else say('no prometheus on the PATH: it is left out');

  // ── the way down ──
  await cluster.compose('stop', 'runner');
  const networks = await cluster.compose('run', '--rm', '--no-deps', 'runner', 'runner', '--remove-networks');
  promise(networks.includes('removed: cloudai-'), 'the network of tasks is taken off the machine');
  const begun = performance.now();
  await cluster.compose('stop');
  say(`docker compose stop: ${Math.round((performance.now() - begun) / 100) / 10} s`);
  const codes = await Promise.all(
    [...APIS, ...SCHEDULERS, 'runner', 'redis'].map(async (name) => (await cluster.state(name)).code),
  );
  promise(
    codes.every((code) => code === 0),
    'every process of the cluster ended with 0',
  );
  await cluster.compose('down', '--volumes');
  const left = await cluster.left();
  for (const one of left) say(`left: ${one}`);
  promise(left.length === 0, 'docker compose down leaves no container, network or volume');
});

function telemetryOf(url: string): Promise<number> {
  return new Promise((done, fail) => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws/telemetry`);
    const timer = setTimeout(() => socket.terminate(), 30_000);
    let seen = 0;
    socket.on('message', (text) => {
      if (!String(text).includes('"workers"')) fail(new Error(`no telemetry: ${text}`));
      seen += 1;
      if (seen === 2) socket.close();
    });
    socket.on('error', fail);
    socket.on('close', () => {
      clearTimeout(timer);
      done(seen);
    });
  });
}

/** Three requests of one session, as a browser without WebSockets makes them. */
async function pollsWithCookie(url: string, token: string): Promise<boolean> {
  const at = `${url}/socket.io/?EIO=4&transport=polling`;
  const opened = await fetch(at);
  const cookie = opened.headers.get('set-cookie')?.split(';')[0] ?? '';
  const { sid } = JSON.parse((await opened.text()).slice(1)) as { sid: string };
  const headers = { cookie, 'content-type': 'text/plain;charset=UTF-8' };
  const sent = await fetch(`${at}&sid=${sid}`, {
    method: 'POST',
    headers,
    body: `40${JSON.stringify({ token })}`,
  });
  const answer = await (await fetch(`${at}&sid=${sid}`, { headers })).text();
  return /^cloudai=api-[12]$/.test(cookie) && sent.status === 200 && answer.startsWith('40');
}

/** Calls through the proxy, one after the other, until it is closed; and who answers a caller without a cookie. */
function watchDoor(url: string) {
  let [asked, failed, open] = [0, 0, true];
  const going = (async () => {
    while (open) {
      asked += 1;
      const answered = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(10_000) })
        .then((reply) => reply.status === 200)
        .catch(() => false);
      if (!answered) failed += 1;
      await delay(50);
    }
  })();
  return {
    leadsTo: async (api: string) => {
      const reply = await fetch(`${url}/healthz`);
      return (reply.headers.get('set-cookie') ?? '').includes(`cloudai=${api}`);
    },
    close: async () => {
      open = false;
      await going;
      return { asked, failed };
    },
  };
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

async function askDoors(
  cluster: Composed,
  say: (text: string) => void,
  promise: (kept: boolean, what: string) => void,
): Promise<void> {
  const doors = [...APIS, ...SCHEDULERS, 'runner'].map(async (name) => {
    const { health } = await cluster.state(name);
    const text = await cluster.metricsOf(name);
    return `${name} ${health}, ${text.split('\n').filter((line) => /^cloudai_/.test(line)).length} series`;
  });
  const told = await Promise.all(doors);
  say(`metrics: ${told.join('; ')}`);
  promise(
    told.every((one) => /healthy, [1-9]/.test(one) && !/unhealthy/.test(one)),
    'every process is healthy and tells its metrics',
  );
}
