// Makes the pictures of the dashboard under docs/images: `npm run docs:images`. Starts a cluster of its own (plain
// processes on simulated machines, so that it needs neither Docker nor GPUs), gives it work for a while, and takes each
// page in a real browser. `MINUTES=2` makes the plots shorter. Needs Redis at REDIS_URL and Chromium.

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
try {
  await work(stage);
  await takeAll(stage);
} finally {
  await stage.close();
}

/** Users submit for `MINUTES`; at the end one long training is in the middle of its run. */
async function work({ cluster }: DashboardStage): Promise<void> {
  const tokens = await Promise.all(['ada', 'grace', 'linus'].map((name) => signIn(cluster.url, name)));
  const end = Date.now() + MINUTES * 60_000;
  const isNearEnd = () => Date.now() > end - 45_000;
  let isLongOne = false;
  for (let n = 0; Date.now() < end; n++) {
    const task: SubmitRequest = isNearEnd() && !isLongOne ? training('train-resnet50-final', 180) : mixed(n);
    isLongOne ||= task.name === 'train-resnet50-final';
    await submit(cluster.url, tokens[n % tokens.length] ?? '', task);
    await delay(EVERY_MS);
  }
  await cluster.call('POST', '/api/workers/edge-1/drain');
}

async function takeAll(on: DashboardStage): Promise<void> {
  const { cluster } = on;
  const named = async (q: string, status = '') =>
    (await cluster.call<TaskListReply>('GET', `/api/tasks?q=${q}&status=${status}&limit=1`)).body.tasks[0]
      ?.task_id ?? '';
  const running = await named('train-resnet50-final');
  const done = await named('train-resnet50-s', 'completed');
  const pages: readonly [
    name: string,
    address: string,
    ready: string,
    act?: (page: Page) => Promise<void>,
  ][] = [
    ['overview', '/', 'Overview'],
    ['tasks', '/tasks', 'Tasks'],
    ['task', `/tasks/${running}`, 'train-resnet50-final'],
    ['task-files', `/tasks/${done}?view=files`, 'train-resnet50'],
    ['task-usage', `/tasks/${done}?view=usage`, 'train-resnet50'],
    ['submit', `/submit?from=${running}`, 'Submit a task'],
    ['queue', '/queue', 'Queue'],
    ['workers', '/cluster', 'Workers'],
    ['worker', '/cluster/gpu-1', 'gpu-1'],
    ['files', '/files?user=ada', 'Files'],
    ['account', '/account', 'Account'],
    ['users', '/admin', 'Users'],
    ['palette', '/', 'Overview', (page) => page.keyboard.press('Control+k')],
  ];
  const wide = await on.open('admin', { viewport: { width: 1280, height: 860 }, colorScheme: 'light' });
  for (const [name, address, heading, act] of pages)
    await take(wide, cluster.url, name, address, heading, act);
  await takeBoard(wide, cluster.url);
  const dark = await on.open('admin', { viewport: { width: 1280, height: 860 }, colorScheme: 'dark' });
  await take(dark, cluster.url, 'overview-dark', '/', 'Overview');
  await take(dark, cluster.url, 'task-dark', `/tasks/${running}`, 'train-resnet50-final');
  const phone = await on.open('admin', { viewport: { width: 360, height: 740 }, colorScheme: 'light' });
  await take(phone, cluster.url, 'tasks-phone', '/tasks', 'Tasks');
  await take(phone, cluster.url, 'task-phone', `/tasks/${running}`, 'train-resnet50-final');
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
