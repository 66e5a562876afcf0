// The overview: what an operator keeps open.

import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import type { TelemetryReply } from '../../../shared/contracts/workers.ts';
import { TASK_STATES } from '../../../shared/model/task.ts';
import { axeFaults, type DashboardStage, phoneFaults, visit } from '../../support/dashboard-stage.ts';
import { TEST_IMAGE } from '../../support/servers.ts';
import { waitFor } from '../../support/wait-for.ts';

/** What a plot tells those who do not see it. */
const told = async (page: Page, label: string) =>
  (await page.getByRole('img', { name: label }).getAttribute('aria-label')) ?? '';
const newest = (words: string, series: string) =>
  Number(new RegExp(`${series}: newest ([\\d.]+)`).exec(words)?.[1] ?? Number.NaN);

export function overviewPage(stage: () => DashboardStage): void {
  it('moves with what happens, by what is pushed alone', async () => {
    const { cluster, page } = stage();
    await visit(page, '/');
    const figure = page.getByRole('link', { name: /^Running/ });
    await waitFor(async () => !Number.isNaN(newest(await told(page, 'Tasks.'), 'running')), {
      what: 'the plot of tasks',
    });
    const held = newest(await told(page, 'CPU.'), 'held by tasks');
    const running = newest(await told(page, 'Tasks.'), 'running');
    // From here on nobody may ask for the cluster.
    await page.route('**/telemetry**', (route) => route.abort());
    const { body } = await cluster.call<{ task_id: string }>('POST', '/api/tasks', {
      docker_image: TEST_IMAGE,
      command: 'while true; do :; done',
      name: 'busy',
      cpu_required: 0.5,
      memory_required: 64,
    });
    await page.getByRole('region', { name: 'Running tasks' }).getByRole('link', { name: 'busy' }).waitFor();
    await figure.getByText(String(running + 1), { exact: true }).waitFor();
    await waitFor(async () => newest(await told(page, 'CPU.'), 'held by tasks') > held, {
      what: 'a higher line',
    });
    await waitFor(async () => newest(await told(page, 'Tasks.'), 'running') === running + 1, {
      what: 'one that runs',
    });
    await cluster.call('POST', `/api/tasks/${body.task_id}/cancel`, { force: true });
    await waitFor(async () => newest(await told(page, 'CPU.'), 'held by tasks') === held, {
      what: 'the line to fall',
    });
    await waitFor(async () => newest(await told(page, 'Tasks.'), 'running') === running, {
      what: 'none that runs',
    });
    await page.unroute('**/telemetry**');
  });

  it('looks back as far as the address says, and remembers what was chosen there', async () => {
    const { page } = stage();
    await visit(page, '/?range=24h');
    const day = page.getByRole('button', { name: '24 h' });
    await waitFor(async () => (await day.getAttribute('aria-pressed')) === 'true', { what: 'the day' });
    await page.getByRole('button', { name: '1 h' }).click();
    await page.waitForURL(/range=1h/);
    // Points of another range are fetched, and nothing is drawn until they come.
    await expect.poll(() => told(page, 'Memory.')).toMatch(/used: newest [\d.]+ [MGT]B/);
  });

  it('leads from its figures to their lists, and from a worker to its page', async () => {
    const { page } = stage();
    await visit(page, '/');
    await page.getByRole('link', { name: /^Failed/ }).click();
    await page.waitForURL(/\/tasks\?status=failed/);
    await page.goBack();
    await page.getByRole('list', { name: 'Workers by cores held' }).getByRole('link').first().click();
    await page.waitForURL(/\/cluster\/.+/);
  });

  it('has first steps for a new cluster, and no barrier, light and dark, wide and narrow', async () => {
    const { cluster, page, tab } = stage();
    await visit(page, '/');
    await page.getByRole('img', { name: /^CPU/ }).waitFor();
    expect(await axeFaults(page)).toEqual([]);

    const small = await tab();
    // A cluster where nothing has run: this one, without its tasks.
    const { body } = await cluster.call<TelemetryReply>('GET', '/telemetry');
    const none = Object.fromEntries(TASK_STATES.map((state) => [state, 0]));
    const reservations = [{ worker_id: 'w-9', since: body.at }];
    const rules = { ageing_seconds: 600, reserve_after_seconds: 60, preemption: true, waiting_lines: 1 };
    const scheduler = { ...rules, leading: true, policy: 'spread', reservations, at: body.at };
    await small.route('**/telemetry', (route) =>
      route.fulfill({ json: { ...body, tasks_by_state: none, scheduler } }),
    );
    await small.routeWebSocket('**/socket.io/**', (socket) => socket.close());
    await small.route('**/socket.io/**', (route) => route.abort());
    await small.goto(cluster.url);
    await small.getByRole('heading', { name: 'First steps' }).waitFor();
    await small.getByText('spread, with preemption, 1 worker kept free').click();
    await small.getByText('the emptiest of them gets it').waitFor();
    expect(await phoneFaults(small)).toEqual([]);
    await small.close();
  });
}
