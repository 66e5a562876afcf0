// Whether the list of tasks stays fluent with 100,000 of them, and what they cost the browser.
//
// Method. A real API process from `dist` on SQLite and Redis, filled straight through the store; headless Chromium, 1280 × 900.
// The same walk once with 2,000 tasks (the baseline) and once with all, in one run: the page is opened, all tasks are loaded
// for the order of their names (timed from the click until the list is in order), then 140 turns of the wheel of 600 px, 60
// drags of the scroll bar to places all over the list (and the very end), 100 PageDowns. Noted by the page itself: long
// tasks (PerformanceObserver, 50 ms and more) and gaps between frames of requestAnimationFrame. `bare` is an empty page of
// the same height that is scrolled alike: what it misses the machine misses. `script` and `all work` are processor time of
// the page's main thread a frame, which a busy machine does not stretch. Memory: the JavaScript heap after a collection.
// Run: npm run build && npx tsx bench/dashboard/scroll.ts [tasks]

import type { CDPSession, Page } from 'playwright-core';
import { KnownUsers } from '../../api/services/known-users.ts';
import { Sessions } from '../../api/services/sessions.ts';
import { SigningKeys } from '../../api/services/signing-keys.ts';
import type { Task } from '../../shared/model/task.ts';
import { TASK_STATES } from '../../shared/model/task.ts';
import { newUser, type User } from '../../shared/model/user.ts';
import { systemClock } from '../../shared/platform/clock.ts';
import { newId, newTaskId } from '../../shared/platform/ids.ts';
import { silentLog } from '../../shared/platform/log.ts';
import { openRecords } from '../../shared/wiring/open-store.ts';
import { freePort, Part } from '../../test/support/cluster.ts';
import { launchBrowser } from '../../test/support/dashboard-stage.ts';
import { redisUrl, tempDir, uniqueName } from '../../test/support/servers.ts';
import { makeTask } from '../../test/support/tasks.ts';
import { waitFor } from '../../test/support/wait-for.ts';
import { machineLine, quantile } from '../machine.ts';

const total = Number(process.argv[2] ?? 100_000);
/** As many as the walk with the wheel passes, so that both walks draw as much. */
const FEW = 2_000;
const JWT_SECRET = 'bench-secret-'.repeat(4);
const WHEELS = 140;
const DRAGS = 60;
const PAGES = 100;

const directory = await tempDir();
const records = await openRecords({
  storeUrl: `sqlite:${directory.path}/cloudai.db`,
  filesUrl: `file:${directory.path}/files`,
});
const sessions = new Sessions({
  users: records.store.users,
  known: new KnownUsers(records.store.users, systemClock),
  keys: new SigningKeys([JWT_SECRET]),
  ttlSeconds: 86_400,
  clock: systemClock,
  log: silentLog(),
});
const port = await freePort();
const url = `http://127.0.0.1:${port}`;
const env = {
  DATA_DIR: directory.path,
  REDIS_URL: redisUrl,
  REDIS_PREFIX: uniqueName('bench-scroll'),
  LOG_LEVEL: 'warn',
};
const api = new Part(
  'api',
  { ...env, HOST: '127.0.0.1', PORT: String(port), GRPC_PORT: 'off', JWT_SECRET },
  `${directory.path}/api.log`,
);
const browser = await launchBrowser();

interface Walk {
  readonly loadMs: number;
  /** Longest task while the list was loaded and sorted; 0 when none took 50 ms. */
  readonly loadLongestMs: number;
  readonly longTasks: readonly number[];
  readonly gaps: readonly number[];
  readonly heapMb: number;
  /** Processor time of the main thread while scrolling, seconds. */
  readonly scriptSeconds: number;
  readonly workSeconds: number;
}

async function person(username: string, count: number): Promise<string> {
  const user = newUser({ id: newId('user'), username, passwordHash: '', role: 'user', createdAt: 0 });
  await records.store.users.insert(user);
  const now = Date.now();
  for (let at = 0; at < count; at += 1_000) {
    const tasks = Array.from({ length: Math.min(1_000, count - at) }, (_, n) => taskOf(user, at + n, now));
    await records.store.tasks.insert(tasks);
  }
  return sessions.issue(user).token;
}

function taskOf({ id: ownerId, username: ownerName }: User, n: number, now: number): Task {
  const state = TASK_STATES[n % TASK_STATES.length] ?? 'queued';
  const isPlaced = state !== 'queued';
  return makeTask(
    {
      name: `train-${(n * 7_919) % 100_003}`,
      tag: `sweep-${n % 40}`,
      image: `registry.example.com/team/trainer:${n % 9}`,
    },
    {
      ...{ id: newTaskId(), ownerId, ownerName, state, submittedAt: now - n * 500 },
      ...(isPlaced ? { workerId: `worker-${n % 50}`, assignedAt: now, startedAt: now - 60_000 } : {}),
      ...(n % 6 > 2 ? { finishedAt: now } : {}),
    },
  );
}

const WATCH = `
  window.seen = { long: [], gaps: [] };
  new PerformanceObserver((list) => { for (const { duration } of list.getEntries()) window.seen.long.push(duration); })
    .observe({ type: 'longtask' });
  let last = performance.now();
  const frame = (now) => { window.seen.gaps.push(now - last); last = now; requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
`;
const reset = (page: Page) =>
  page.evaluate('void (window.seen.long.length = 0, window.seen.gaps.length = 0)');
const seen = (page: Page) => page.evaluate<{ long: number[]; gaps: number[] }>('window.seen');
const twoFrames = (page: Page) =>
  page.evaluate('new Promise((go) => requestAnimationFrame(() => requestAnimationFrame(() => go())))');

/** The same scrolling of whatever scrolls under the middle of the window. */
async function scroll(page: Page, scroller: string): Promise<void> {
  await page.mouse.move(640, 600);
  for (let n = 0; n < WHEELS; n += 1) {
    await page.mouse.wheel(0, 600);
    await twoFrames(page);
  }
  for (let n = 1; n <= DRAGS; n += 1) {
    const share = n === DRAGS ? 1 : (n * 0.618_034) % 1;
    await page.evaluate(`{ const box = ${scroller}; box.scrollTop = ${share} * box.scrollHeight; }`);
    await twoFrames(page);
  }
}

const SCROLLER = `document.querySelector('cloudai-app').shadowRoot.querySelector('tasks-page').shadowRoot
  .querySelector('task-list').shadowRoot.querySelector('.scroller')`;

async function walk(token: string, count: number): Promise<Walk> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  await context.addInitScript(`sessionStorage.setItem('cloudai.token', '${token}'); ${WATCH}`);
  const page = await context.newPage();
  page.setDefaultTimeout(300_000);
  await page.goto(`${url}/tasks`);
  const sortByName = page.getByRole('columnheader', { name: 'Task', exact: true }).getByRole('button');
  await sortByName.waitFor();
  await reset(page);
  const from = performance.now();
  await sortByName.click();
  await page.locator(`task-list [role=grid][aria-rowcount='${count + 1}']`).waitFor();
  await page.locator('.above [role=status]').waitFor({ state: 'detached' });
  const loadMs = performance.now() - from;
  const loading = await seen(page);
  const loadLongestMs = Math.max(0, ...loading.long);
  const debug = await context.newCDPSession(page);
  await debug.send('Performance.enable', { timeDomain: 'threadTicks' });
  const before = await workOf(debug);
  await reset(page);
  await scroll(page, SCROLLER);
  await page.getByRole('grid').focus();
  await page.keyboard.press('Home');
  for (let n = 0; n < PAGES; n += 1) {
    await page.keyboard.press('PageDown');
    await twoFrames(page);
  }
  const { long, gaps } = await seen(page);
  const after = await workOf(debug);
  await debug.send('HeapProfiler.collectGarbage');
  const heapMb = (await debug.send('Runtime.getHeapUsage')).usedSize / 2 ** 20;
  await context.close();
  return {
    ...{ loadMs, loadLongestMs, longTasks: long, gaps, heapMb },
    scriptSeconds: after.script - before.script,
    workSeconds: after.work - before.work,
  };
}

async function workOf(debug: CDPSession): Promise<{ script: number; work: number }> {
  const { metrics } = await debug.send('Performance.getMetrics');
  const value = (name: string) => metrics.find((one) => one.name === name)?.value ?? Number.NaN;
  return { script: value('ScriptDuration'), work: value('TaskDuration') };
}

async function bare(): Promise<Walk> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const page = await context.newPage();
  await page.goto('about:blank');
  await page.setContent(
    `<div id="box" style="overflow:auto;height:880px"><div style="height:${total * 44}px"></div></div>`,
  );
  await page.evaluate(WATCH);
  await scroll(page, `document.getElementById('box')`);
  const { long, gaps } = await seen(page);
  await context.close();
  return { loadMs: 0, loadLongestMs: 0, longTasks: long, gaps, heapMb: 0, scriptSeconds: 0, workSeconds: 0 };
}

function show(name: string, walked: Walk): void {
  const { longTasks, gaps, heapMb, loadMs, loadLongestMs, scriptSeconds, workSeconds } = walked;
  const long = `${String(longTasks.length).padStart(4)} long tasks, longest ${Math.max(0, ...longTasks)
    .toFixed(0)
    .padStart(4)} ms`;
  const frames = `frames p50 ${quantile(gaps, 0.5).toFixed(1)} p99 ${quantile(gaps, 0.99).toFixed(1)} worst ${Math.max(...gaps).toFixed(0)} ms`;
  const perFrame = (seconds: number) => ((seconds * 1000) / gaps.length).toFixed(2);
  const work =
    workSeconds === 0
      ? ''
      : `; script ${perFrame(scriptSeconds)} ms, all work ${perFrame(workSeconds)} ms a frame`;
  const load =
    loadMs === 0
      ? ''
      : `; loaded and sorted in ${(loadMs / 1000).toFixed(1)} s, longest task then ${loadLongestMs.toFixed(0)} ms`;
  console.log(
    `${name.padEnd(16)}${long}; ${frames}${work}${load}${heapMb === 0 ? '' : `; heap ${heapMb.toFixed(1)} MB`}`,
  );
}

try {
  console.log(`${machineLine()}, Chromium ${browser.version()}; ${total} tasks`);
  const [few, all] = [await person('few', FEW), await person('many', total)];
  api.start();
  await waitFor(async () => (await fetch(`${url}/readyz`)).ok, { what: url, deadlineMs: 120_000 });
  const native = await bare();
  const small = await walk(few, FEW);
  const large = await walk(all, total);
  show('bare', native);
  show(`${FEW} tasks`, small);
  show(`${total} tasks`, large);
  const ratio = (q: number) => (quantile(large.gaps, q) / quantile(small.gaps, q)).toFixed(2);
  console.log(
    `ratio to ${FEW} tasks: frames p50 ${ratio(0.5)}, p99 ${ratio(0.99)}, work ${(large.workSeconds / large.gaps.length / (small.workSeconds / small.gaps.length)).toFixed(2)} a frame; ${(((large.heapMb - small.heapMb) / (total - FEW)) * 1_048_576).toFixed(0)} bytes of heap a task`,
  );
} finally {
  await browser.close();
  await api.end('SIGTERM');
  await records.store.close();
  await directory.remove();
}
