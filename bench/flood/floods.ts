// What one user can do to a cluster, each as a function that floods and says in words what came of it.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { TaskBody } from '../../shared/contracts/http.ts';
import type { LogLineBody } from '../../shared/contracts/log-lines.ts';
import { ask, type Cluster } from '../../test/support/cluster.ts';
import { TEST_IMAGE } from '../../test/support/servers.ts';
import type { SocketCrowdPlan, SocketCrowdResult } from './socket-crowd.ts';

export interface Flood {
  readonly cluster: Cluster;
  /** Of the copy of the API that `requests` go to. */
  readonly url: string;
  /** Of users that flood; the cluster's own token is one more. */
  readonly tokens: readonly string[];
  /** Of the one who works on. */
  readonly otherToken: string;
}

const LINE =
  'The quick brown fox jumps over the lazy dog, again and again, until a hundred bytes are full: 0123.';

async function ran({ cluster }: Flood, command: string, worker: string): Promise<TaskBody> {
  const spec = {
    docker_image: TEST_IMAGE,
    command,
    worker,
    cpu_required: 0.5,
    memory_required: 64,
    network: 'none',
  };
  const { task_id: id } = await cluster.submit(spec);
  return cluster.ended(id, 1_800_000);
}

/** No flood, but as much work for the processors: a task that prints nothing and takes so many of them. */
export async function spin(
  { cluster }: Flood,
  cores: number,
  worker: string,
  lastMs: number,
): Promise<string> {
  const { task_id: id } = await cluster.submit({
    docker_image: TEST_IMAGE,
    command: 'for n in 1 2; do (while :; do :; done) & done; wait',
    worker,
    cpu_required: Math.round(cores * 100) / 100,
    memory_required: 64,
    network: 'none',
  });
  await cluster.until(id, ['running'], 60_000);
  await delay(lastMs);
  await cluster.call('POST', `/api/tasks/${id}/cancel`, { force: true });
  await cluster.ended(id);
  return `${cores.toFixed(1)} processors taken by a task that prints nothing`;
}

/** Number of the last line that is kept, and its text. */
async function lastLine({ cluster }: Flood, id: string): Promise<LogLineBody> {
  const { body } = await cluster.call<string>('GET', `/api/tasks/${id}/logs?tail=1&format=ndjson`);
  return JSON.parse(body) as LogLineBody;
}

export async function output(flood: Flood, megabytes: number, worker: string): Promise<string> {
  const lines = Math.round((megabytes * 1_000_000) / 100);
  const task = await ran(flood, `yes '${LINE}' | head -n ${lines}`, worker);
  const { seq, line } = await lastLine(flood, task.task_id);
  const seconds = (Date.parse(task.finished_at ?? '') - Date.parse(task.started_at ?? '')) / 1_000;
  const cut = line === LINE ? '' : `; the last says "${line}"`;
  return `${task.status} in ${seconds.toFixed(0)} s, ${lines} lines printed, ${seq} kept${cut}`;
}

export async function burst(flood: Flood, lines: number, worker: string): Promise<string> {
  const task = await ran(flood, `seq ${lines}`, worker);
  const { seq, line } = await lastLine(flood, task.task_id);
  return `${task.status}, ${lines} lines printed, ${seq} kept, the last is "${line}"`;
}

/** Readers of a large output who take its first bytes and then no more. */
export async function readers(flood: Flood, count: number, worker: string, lastMs: number): Promise<string> {
  const { cluster } = flood;
  const { task_id: id } = await ran(flood, `yes '${LINE}' | head -c 30000000`, worker);
  const url = new URL(cluster.url);
  const sockets = Array.from({ length: count }, (_, n) => {
    const socket: Socket = connect(Number(url.port), url.hostname);
    socket.on('error', () => undefined);
    const query = n % 2 === 0 ? '' : '?follow=true&format=ndjson';
    socket.write(
      `GET /api/tasks/${id}/logs${query} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${cluster.token}\r\n\r\n`,
    );
    socket.once('data', () => socket.pause());
    return socket;
  });
  await delay(lastMs);
  const bytes = sockets.reduce((sum, { bytesRead }) => sum + bytesRead, 0);
  for (const socket of sockets) socket.destroy();
  return `${count} readers of 30 MB took ${(bytes / 1e6).toFixed(1)} MB in all`;
}

export async function sockets({ cluster, tokens }: Flood, count: number, lastMs: number): Promise<string> {
  const half = Math.floor(count / 2);
  const plan: SocketCrowdPlan = {
    url: cluster.url,
    telemetry: half,
    tokens: Array.from({ length: count - half }, (_, n) => tokens[n % tokens.length] ?? ''),
  };
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', fileURLToPath(new URL('socket-crowd.ts', import.meta.url))],
    {
      stdio: ['pipe', 'pipe', 'inherit'],
    },
  );
  try {
    child.stdin.write(`${JSON.stringify(plan)}\n`);
    const [line] = await once(createInterface({ input: child.stdout }), 'line');
    const { open, refused } = JSON.parse(String(line)) as SocketCrowdResult;
    await delay(lastMs);
    return `${open} open at a time for ${lastMs / 1_000} s, half of them not reading; ${refused} refused`;
  } finally {
    child.kill();
  }
}

const OPEN_AT_ONCE = 500;
const ANSWER_MS = 60_000;

/** So many requests a second of one user, below the limits of rate: of four, three read and one writes. */
export async function requests({ cluster, url }: Flood, perSecond: number, lastMs: number): Promise<string> {
  const answers = new Map<string, number>();
  const count = (answer: string) => void answers.set(answer, (answers.get(answer) ?? 0) + 1);
  const body = { docker_image: 'nothing:here', worker: 'nowhere', cpu_required: 0.1, memory_required: 16 };
  const asking = { token: cluster.token, deadlineMs: ANSWER_MS };
  const began = performance.now();
  const open = new Set<Promise<void>>();
  let most = 0;
  for (let sent = 0; performance.now() - began < lastMs; ) {
    const due = ((performance.now() - began) / 1_000) * perSecond;
    for (; sent < due && open.size < OPEN_AT_ONCE; sent += 1) {
      const call =
        sent % 4 === 0
          ? ask(url, asking, 'POST', '/api/tasks', body)
          : ask(url, asking, 'GET', '/api/tasks?limit=20');
      const one: Promise<void> = call
        .then(({ status }) => count(String(status)))
        .catch((error: Error) => count(causeOf(error)))
        .finally(() => open.delete(one));
      open.add(one);
    }
    most = Math.max(most, open.size);
    await delay(10);
  }
  await Promise.all(open);
  const seconds = (performance.now() - began) / 1_000;
  const all = [...answers].sort().map(([answer, times]) => `${times} × ${answer}`);
  return `up to ${most} open, answered in ${seconds.toFixed(1)} s: ${all.join(', ')}`;
}

/** Why there was no answer. */
function causeOf({ name, cause }: Error): string {
  return (cause as { code?: string } | undefined)?.code ?? name;
}

const ONE_OF_MANY = {
  docker_image: TEST_IMAGE,
  command: 'true',
  cpu_required: 1,
  memory_required: 64,
  network: 'none',
};

async function submitMany({ cluster }: Flood, count: number, worker: string): Promise<void> {
  for (let sent = 0; sent < count; ) {
    const tasks = Array.from({ length: Math.min(1_000, count - sent) }, () => ({ ...ONE_OF_MANY, worker }));
    const { status } = await cluster.call('POST', '/api/tasks/batch', { tasks });
    if (status === 201) sent += tasks.length;
    else if (status === 429) await delay(1_000);
    else throw new Error(`a batch was answered ${status}`);
  }
}

/** As many tasks run as in `queue`, and hardly any wait. */
export async function fewWaiting(flood: Flood, worker: string, lastMs: number): Promise<string> {
  const count = Math.round(lastMs / 20);
  await submitMany(flood, count, worker);
  await delay(lastMs);
  return `${count} submitted`;
}

/** Many tasks of one user. How soon those of another start is seen by that one. */
export async function queue(flood: Flood, count: number, worker: string): Promise<string> {
  const began = performance.now();
  await submitMany(flood, count, worker);
  const seconds = (performance.now() - began) / 1_000;
  const asked = performance.now();
  await flood.cluster.call('GET', '/telemetry');
  const telemetryMs = performance.now() - asked;
  return `${count} submitted in ${seconds.toFixed(1)} s; telemetry takes ${telemetryMs.toFixed(0)} ms`;
}
