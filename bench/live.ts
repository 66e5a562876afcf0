// How soon a change is seen by whoever watches, and what it costs to show output to many.
//
// Method. Real processes of the API from `dist`, a real Redis, SQLite, logs on disk; clients and measuring on the same
// machine by one clock. (a) Two API copies. N times, one after the other: an event on the bus as a runner sends it, until
// Socket.io's own client on a copy has it; and a cancel through one copy until a client of the other copy has it (with
// the HTTP call and the commit). Baseline in between: one message over bare ioredis from one connection to another.
// (b) One API copy, lines of 100 characters into the log store and the live stream as a runner writes them; clients in
// one more process, speaking bare `ws`, who stop when they have the last line. Once 1,000 clients of one task, once 200
// tasks with a client each. Baseline, taking turns: a Socket.io server that only broadcasts the same events. Reported:
// lines delivered a second, processor time of the server, its memory; medians of the rounds.
// Run: npm run build && npx tsx bench/live.ts [rounds] [N]

import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { io } from 'socket.io-client';
import { KnownUsers } from '../api/services/known-users.ts';
import { Sessions } from '../api/services/sessions.ts';
import { SigningKeys } from '../api/services/signing-keys.ts';
import { taskRoom } from '../shared/contracts/live.ts';
import { taskChanged } from '../shared/model/event.ts';
import type { Task } from '../shared/model/task.ts';
import { assignTask, startTask } from '../shared/model/task-life.ts';
import { newUser } from '../shared/model/user.ts';
import { systemClock } from '../shared/platform/clock.ts';
import { newId } from '../shared/platform/ids.ts';
import { silentLog } from '../shared/platform/log.ts';
import { openRedis } from '../shared/wiring/open-redis.ts';
import { openRecords } from '../shared/wiring/open-store.ts';
import { freePort, Part } from '../test/support/cluster.ts';
import { redisUrl, tempDir, uniqueName } from '../test/support/servers.ts';
import { makeTask } from '../test/support/tasks.ts';
import { waitFor } from '../test/support/wait-for.ts';
import type { BarePlan } from './live/bare-server.ts';
import type { CrowdPlan, CrowdResult } from './live/crowd.ts';
import { linesOf } from './live/output.ts';
import { costOf } from './live/process-cost.ts';
import { machineLine, quantile } from './machine.ts';

const rounds = Number(process.argv[2] ?? 3);
const samples = Number(process.argv[3] ?? 500);
const JWT_SECRET = 'bench-secret-'.repeat(4);

const directory = await tempDir();
const prefix = uniqueName('bench-live');
const env = {
  DATA_DIR: directory.path,
  REDIS_URL: redisUrl,
  REDIS_PREFIX: prefix,
  HOST: '127.0.0.1',
  LOG_LEVEL: 'warn',
  JWT_SECRET,
  GRPC_PORT: 'off',
};
const log = silentLog();
const records = await openRecords({
  storeUrl: `sqlite:${directory.path}/cloudai.db`,
  filesUrl: `file:${directory.path}/files`,
});
const redis = await openRedis({ url: redisUrl, prefix, patience: 'patient', log });
const sessions = new Sessions({
  users: records.store.users,
  known: new KnownUsers(records.store.users, systemClock),
  keys: new SigningKeys([JWT_SECRET]),
  ttlSeconds: 86_400,
  clock: systemClock,
  log,
});

async function startApi(): Promise<{ part: Part; url: string }> {
  const port = await freePort();
  const part = new Part('api', { ...env, PORT: String(port) }, `${directory.path}/api-${port}.log`);
  part.start();
  const url = `http://127.0.0.1:${port}`;
  await waitFor(async () => (await fetch(`${url}/readyz`)).ok, { what: url, deadlineMs: 60_000 });
  return { part, url };
}

/** A user may have a hundred sockets, so a crowd needs several, all admins. */
async function admins(count: number): Promise<string[]> {
  const tokens: string[] = [];
  for (let n = 0; n < count; n += 1) {
    const username = uniqueName('a');
    const user = newUser({ id: newId('user'), username, passwordHash: '', role: 'admin', createdAt: 0 });
    await records.store.users.insert(user);
    tokens.push(sessions.issue(user).token);
  }
  return tokens;
}

async function runningTask(): Promise<Task> {
  let task = makeTask();
  await records.store.tasks.insert([task]);
  const to = { workerId: 'w', term: 1, now: 1 };
  const assigned = assignTask(task, to);
  if (!assigned.ok) throw new Error(assigned.refusal);
  const started = startTask(assigned.task, {
    ...to,
    attempt: 1,
    containerId: 'c',
    imageId: null,
    gpuIds: [],
  });
  if (!started.ok) throw new Error(started.refusal);
  for (const step of [assigned, started]) {
    await records.store.tasks.commit(step.task);
    task = step.task;
  }
  return task;
}

const show = (name: string, values: number[]) =>
  console.log(
    `${name.padEnd(44)} p50 ${quantile(values, 0.5).toFixed(2).padStart(7)} ms   p99 ${quantile(values, 0.99).toFixed(2).padStart(7)} ms`,
  );

async function latency(): Promise<void> {
  const [one, other] = [await startApi(), await startApi()];
  const [token = ''] = await admins(1);
  const client = io(other.url, { transports: ['websocket'], auth: { token } });
  await once(client as never, 'connect');
  await client.emitWithAck('subscribe', { room: 'tasks' });
  const subscriber = new Redis(redisUrl);
  const publisher = new Redis(redisUrl);
  await subscriber.subscribe(`${prefix}:hop`);

  const hops: number[] = [];
  const events: number[] = [];
  const cancels: number[] = [];
  const heard = (id: string) =>
    new Promise<void>((done) => {
      const listen = ({ task_id }: { task_id: string }) => {
        if (task_id !== id) return;
        client.off('task', listen);
        done();
      };
      client.on('task', listen);
    });
  const timed = async (into: number[], seen: Promise<unknown>, act: () => unknown) => {
    const from = performance.now();
    await Promise.all([seen, act()]);
    into.push(performance.now() - from);
  };
  for (let n = 0; n < samples; n += 1) {
    const task = makeTask();
    await records.store.tasks.insert([task]);
    const event = taskChanged(task);
    await timed(hops, once(subscriber, 'message'), () => publisher.publish(`${prefix}:hop`, 'x'.repeat(200)));
    await timed(events, heard(task.id), () => redis.bus.publish(event));
    const cancelled = heard(task.id);
    const from = performance.now();
    const reply = fetch(`${one.url}/api/tasks/${task.id}/cancel`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
    });
    await cancelled;
    cancels.push(performance.now() - from);
    await (await reply).text();
  }
  show('bare ioredis: publish to message', hops);
  show('event on the bus to a client', events);
  show('cancel on one copy to a client of the other', cancels);
  client.disconnect();
  subscriber.disconnect();
  publisher.disconnect();
  for (const { part } of [one, other]) await part.end('SIGTERM');
}

interface Shape {
  readonly name: string;
  readonly tasks: number;
  readonly followers: number;
  readonly batches: number;
  readonly batchLines: number;
}

interface Measured {
  readonly linesPerSecond: number;
  readonly cpu: number;
  readonly peakMemory: number;
  readonly events: number;
}

const children: { kill(): unknown }[] = [];
const script = (name: string) => fileURLToPath(new URL(`./live/${name}.ts`, import.meta.url));
function child(name: string, plan: unknown): ChildProcessByStdio<Writable, Readable, null> {
  const started = spawn(process.execPath, ['--import', 'tsx', script(name)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  children.push(started);
  started.stdin.write(`${JSON.stringify(plan)}\n`);
  return started;
}

async function crowd(plan: CrowdPlan): Promise<{ result: Promise<CrowdResult> }> {
  const started = child('crowd', plan);
  started.once('exit', (code) => {
    if (code === 0) return;
    console.error(`the crowd ended with ${code}`);
    process.exit(1);
  });
  const lines = createInterface({ input: started.stdout });
  const [first] = await once(lines, 'line');
  if (first !== 'ready') throw new Error(`a crowd that is not ready: ${first}`);
  return { result: once(lines, 'line').then(([text]) => JSON.parse(String(text)) as CrowdResult) };
}

/** Time and cost of one delivery, from `begin` until the crowd has all of it. */
async function measure(
  pid: number,
  shape: Shape,
  crowded: { result: Promise<CrowdResult> },
  begin: () => unknown,
): Promise<Measured> {
  const before = await costOf(pid);
  let peakMemory = before.memory;
  const sampler = setInterval(async () => {
    peakMemory = Math.max(peakMemory, (await costOf(pid)).memory);
  }, 100);
  const from = Date.now();
  await begin();
  const { at, events } = await crowded.result;
  clearInterval(sampler);
  const { cpu } = await costOf(pid);
  const lines = shape.tasks * shape.followers * shape.batches * shape.batchLines;
  return { linesPerSecond: (lines * 1_000) / (at - from), cpu: cpu - before.cpu, peakMemory, events };
}

async function ours(shape: Shape): Promise<Measured> {
  const { part, url } = await startApi();
  const tasks = await Promise.all(Array.from({ length: shape.tasks }, () => runningTask()));
  const tokens = await admins(Math.ceil((shape.tasks * shape.followers) / 100));
  const seats = tasks.flatMap(({ id }) => Array.from({ length: shape.followers }, () => taskRoom(id)));
  const clients = seats.map((room, n) => ({ room, token: tokens[Math.floor(n / 100)] ?? '' }));
  const crowded = await crowd({ url, clients, lastSeq: shape.batches * shape.batchLines });
  const measured = await measure(part.pid ?? 0, shape, crowded, async () => {
    for (let batch = 0; batch < shape.batches; batch += 1) {
      const lines = linesOf(batch * shape.batchLines + 1, shape.batchLines);
      const range = { firstSeq: lines[0]?.seq ?? 0, lastSeq: lines.at(-1)?.seq ?? 0 };
      await Promise.all(
        tasks.map(async ({ id }) => {
          await records.logs.append(id, 1, lines);
          await redis.liveLogs.publish(id, 1, { ...range, lines });
        }),
      );
    }
  });
  await part.end('SIGTERM');
  return measured;
}

async function bare(shape: Shape): Promise<Measured> {
  const rooms = Array.from({ length: shape.tasks }, () => taskRoom(makeTask().id));
  const plan: BarePlan = { rooms, batches: shape.batches, batchLines: shape.batchLines };
  const server = child('bare-server', plan);
  const [url] = await once(createInterface({ input: server.stdout }), 'line');
  const seats = rooms.flatMap((room) => Array.from({ length: shape.followers }, () => room));
  const crowded = await crowd({
    url: String(url),
    clients: seats.map((room) => ({ room, token: '' })),
    lastSeq: shape.batches * shape.batchLines,
  });
  const measured = await measure(server.pid ?? 0, shape, crowded, () => server.stdin.write('go\n'));
  server.kill();
  return measured;
}

async function fanOut(shape: Shape): Promise<void> {
  const all: Record<'ours' | 'bare', Measured[]> = { ours: [], bare: [] };
  for (let round = 0; round < rounds; round += 1) {
    all.bare.push(await bare(shape));
    all.ours.push(await ours(shape));
  }
  const median = (of: Measured[], what: keyof Measured) =>
    quantile(
      of.map((one) => one[what]),
      0.5,
    );
  console.log(`\n${shape.name}; ${shape.batches} batches of ${shape.batchLines} lines`);
  for (const [name, of] of Object.entries(all)) {
    const lines = `${(median(of, 'linesPerSecond') / 1_000).toFixed(0).padStart(7)}k lines/s`;
    const cpu = `${median(of, 'cpu').toFixed(2).padStart(7)} s cpu`;
    const memory = `${median(of, 'peakMemory').toFixed(0).padStart(6)} MB`;
    console.log(
      `${name.padEnd(8)}${lines}${cpu}${memory}${median(of, 'events').toString().padStart(9)} events`,
    );
  }
  const ratio = (what: keyof Measured) => (median(all.ours, what) / median(all.bare, what)).toFixed(2);
  console.log(`ratio to bare: ${ratio('linesPerSecond')} of the lines/s, ${ratio('cpu')} of the cpu`);
}

try {
  console.log(`${machineLine()}; ${rounds} rounds, ${samples} samples`);
  await latency();
  await fanOut({
    name: '1,000 clients of one task',
    tasks: 1,
    followers: 1_000,
    batches: 50,
    batchLines: 200,
  });
  await fanOut({ name: '200 tasks, a client each', tasks: 200, followers: 1, batches: 100, batchLines: 50 });
} finally {
  for (const one of children) one.kill();
  await redis.close();
  await records.store.close();
  await directory.remove();
}
