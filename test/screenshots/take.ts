// Makes the pictures of the dashboard under docs/images: `npm run docs:images`. Starts a cluster of its own (plain
// processes on simulated machines, so that it needs neither Docker nor GPUs), gives it work for a while, and takes each
// page in a real browser. `MINUTES=2` makes the plots shorter, `ONLY=tasks,queue` takes these alone. Needs Redis at
// REDIS_URL and Chromium.

import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import type { SubmitRequest, TaskListReply } from '../../shared/contracts/http.ts';
import { type DashboardStage, openDashboardStage, PASSWORD } from '../support/dashboard-stage.ts';
import { mixed, training } from './workload.ts';

const FOLDER = resolve(import.meta.dirname, '../../docs/images');
const MINUTES = Number(process.env.MINUTES ?? 14);
const EVERY_MS = 2_600;
/** Names of pictures; all when empty. */
const ONLY = (process.env.ONLY ?? '').split(',').filter(Boolean);

const machine = (id: string, cpus: number, memoryGb: number, gpus: number, labels: string) => ({
  id,
  env: {
    RUNTIME: 'process',
    WORKER_CPUS: String(cpus),
    WORKER_MEMORY_MB: String(memoryGb * 1_024),
    WORKER_STORAGE_MB: '512000',
    WORKER_GPUS: String(gpus),
    WORKER_ADDRESS: `${id}.lab.example`,
    WORKER_LABELS: labels,
  },
});

const LONG_ONE = 'train-resnet50-final';
const USERS = [
  { name: 'ada', quota: { unfinished_tasks: 200, upload_storage: 2_048 } },
  { name: 'grace', quota: { unfinished_tasks: 60 } },
  { name: 'linus', quota: { upload_storage: 512 } },
];

const MACHINES = [
  machine('gpu-1', 16, 64, 4, 'disk=nvme,gpu=a100'),
  machine('gpu-2', 16, 64, 4, 'disk=nvme,gpu=a100'),
  machine('worker-1', 8, 32, 0, 'disk=ssd'),
  machine('worker-2', 8, 32, 0, 'disk=ssd'),
  machine('edge-1', 4, 8, 0, 'zone=office'),
];

await mkdir(FOLDER, { recursive: true });
const stage = await openDashboardStage({
  runners: MACHINES,
});
const over = new AbortController();
try {
  const busy = work(stage, over.signal);
  await Promise.race([busy, delay(MINUTES * 60_000)]);
  await takeAll(stage);
  over.abort();
  await busy;
} finally {
  await stage.close();
}

/** Users submit until it is over; at the end of `MINUTES` one long training is in the middle of its run. */
async function work({ cluster }: DashboardStage, signal: AbortSignal): Promise<void> {
  const tokens = await Promise.all(USERS.map(({ name }) => signIn(cluster.url, name)));
  for (const { name, quota } of USERS) await cluster.call('PATCH', `/api/users/${name}`, { quota });
  for (const name of ['ci', 'notebook']) await cluster.call('POST', '/api/auth/tokens', { name });
  const end = Date.now() + MINUTES * 60_000;
  let isLongOne = false;
  for (let n = 0; !signal.aborted; n++) {
    const isNearEnd = Date.now() > end - 45_000;
    const task: SubmitRequest = isNearEnd && !isLongOne ? training(LONG_ONE, 240) : mixed(n);
    if (isNearEnd && !isLongOne) {
      isLongOne = true;
      await cluster.call('POST', '/api/workers/edge-1/drain');
      // What waits for whole machines is what a queue is looked at for.
      for (let more = 0; more < 5; more++)
        await submit(cluster.url, tokens[more % 3] ?? '', mixed(11 + 23 * more));
    }
    await submit(cluster.url, tokens[n % tokens.length] ?? '', task);
    await delay(EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}

async function takeAll(on: DashboardStage): Promise<void> {
  const { cluster } = on;
  const named = async (q: string, status = '') =>
    (
      await cluster.call<TaskListReply>(
        'GET',
        `/api/tasks?q=${q}&limit=1${status === '' ? '' : `&status=${status}`}`,
      )
    ).body.tasks[0]?.task_id ?? '';
  const running = await named(LONG_ONE);
  const done = await named('train-resnet50-s', 'completed');
  const pages: readonly [
    name: string,
    address: string,
    ready: string,
    act?: (page: Page) => Promise<void>,
  ][] = [
    ['overview', '/', 'Overview'],
    ['tasks', '/tasks', 'Tasks'],
    ['task', `/tasks/${running}`, LONG_ONE],
    ['task-files', `/tasks/${done}?view=files`, 'train-resnet50'],
    ['task-usage', `/tasks/${done}?view=usage`, 'train-resnet50'],
    ['submit', `/submit?from=${running}`, 'Submit a task'],
    ['queue', '/queue', 'Queue'],
    ['workers', '/cluster', 'Workers'],
    ['worker', '/cluster/gpu-1', 'gpu-1'],
    ['files', '/files?user=ada', 'Files'],
    ['account', '/account?view=tokens', 'Account'],
    ['users', '/admin', 'Users'],
    ['palette', '/', 'Overview', (page) => page.keyboard.press('Control+k')],
  ];
  const wide = await on.open('admin', { viewport: { width: 1280, height: 860 }, colorScheme: 'light' });
  for (const [name, address, heading, act] of pages)
    await take(wide, cluster.url, name, address, heading, act);
  await takeBoard(wide, cluster.url);
  const dark = await on.open('admin', { viewport: { width: 1280, height: 860 }, colorScheme: 'dark' });
  await take(dark, cluster.url, 'overview-dark', '/', 'Overview');
  await take(dark, cluster.url, 'task-dark', `/tasks/${running}`, LONG_ONE);
  const phone = await on.open('admin', { viewport: { width: 360, height: 740 }, colorScheme: 'light' });
  await take(phone, cluster.url, 'tasks-phone', '/tasks', 'Tasks');
  await take(phone, cluster.url, 'task-phone', `/tasks/${running}`, LONG_ONE);
  await take(phone, cluster.url, 'overview-phone', '/', 'Overview');
  const nobody = await on.open(null, { viewport: { width: 1280, height: 860 } });
  await take(nobody, cluster.url, 'sign-in', '/', 'Sign in to CloudAI');
  if (on.faults.length > 0) throw new Error(`the pages had faults:\n${on.faults.join('\n')}`);
}

async function take(
  page: Page,
  url: string,
  name: string,
  address: string,
  heading: string,
  act: (page: Page) => Promise<unknown> = async () => undefined,
): Promise<void> {
  if (!isWanted(name)) return;
  await page.goto(`${url}${address}`);
  await page.getByRole('heading', { name: heading, level: 1 }).first().waitFor();
  await act(page);
  // Pushed figures and plots come within a second or two.
  await delay(2_500);
  await page.screenshot({ path: `${FOLDER}/${name}.png` });
  console.log(`${name}.png`);
}

/** Its cookie is fetched as the dashboard does it. */
async function takeBoard(page: Page, url: string): Promise<void> {
  if (!isWanted('queues')) return;
  await page.goto(`${url}/admin`);
  await page.getByRole('heading', { name: 'Users', level: 1 }).waitFor();
  await page.evaluate(
    `fetch('/api/auth/queue-board', { method: 'POST', headers: { authorization: 'Bearer ' + sessionStorage.getItem('cloudai.token') } })`,
  );
  await page.goto(`${url}/queues`);
  await page.getByText('intake').first().waitFor();
  await delay(2_500);
  await page.screenshot({ path: `${FOLDER}/queues.png` });
  console.log('queues.png');
}

function isWanted(name: string): boolean {
  return ONLY.length === 0 || ONLY.includes(name);
}

async function signIn(url: string, username: string): Promise<string> {
  const credentials = JSON.stringify({ username, password: PASSWORD });
  const post = (path: string) =>
    fetch(`${url}${path}`, {
      method: 'POST',
      body: credentials,
      headers: { 'content-type': 'application/json' },
    });
  await post('/api/auth/register');
  const { token } = (await (await post('/api/auth/login')).json()) as { token: string };
  return token;
}

async function submit(url: string, token: string, task: object): Promise<void> {
  const response = await fetch(`${url}/api/tasks`, {
    method: 'POST',
    body: JSON.stringify(task),
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
  });
  if (!response.ok) throw new Error(`a task was refused: ${await response.text()}`);
}
