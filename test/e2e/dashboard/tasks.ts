// The list of tasks: found by address, put in order, walked by keys, changed by what is pushed, many at once.

import type { Page } from 'playwright-core';
import { beforeAll, expect, it } from 'vitest';
import type { BatchReply } from '../../../shared/contracts/http.ts';
import { axeFaults, type DashboardStage, phoneFaults, visit } from '../../support/dashboard-stage.ts';
import { TEST_IMAGE } from '../../support/servers.ts';
import { waitFor } from '../../support/wait-for.ts';

const WAITING = ['delta', 'alpha', 'charlie', 'bravo', 'echo', 'foxtrot'];
const SMALL = { docker_image: TEST_IMAGE, cpu_required: 0.1, memory_required: 16, tag: 'list' };

export function tasksPage(stage: () => DashboardStage): void {
  let page: Page;
  let ids: Record<string, string> = {};

  const open = (query: string) => visit(page, `/tasks${query}`);
  const rows = () => page.locator('task-list .task');
  const row = (name: string) => rows().filter({ hasText: name });
  const names = () => page.locator('task-list .task .title a').allTextContents();
  const namesAre = (expected: readonly string[]) =>
    waitFor(async () => JSON.stringify(await names()) === JSON.stringify(expected), {
      what: `rows ${expected}`,
    });

  beforeAll(async () => {
    const { cluster } = stage();
    ({ page } = stage());
    const tasks = [
      ...WAITING.map((name) => ({ ...SMALL, name, cpu_required: 4_000 })),
      { ...SMALL, name: 'runs', command: 'sleep 600' },
      { ...SMALL, name: 'failed', command: 'exit 3' },
    ];
    const { body } = await cluster.call<BatchReply>('POST', '/api/tasks/batch', { tasks });
    ids = Object.fromEntries(body.tasks.map(({ name, task_id }) => [name, task_id]));
    await cluster.ended(ids.failed ?? '');
    await cluster.until(ids.runs ?? '', ['running']);
  });

  it('shows what the address says in its order, and writes what is chosen into it', async () => {
    await page.goto(`${stage().cluster.url}/tasks?tag=list&status=queued&sort=name`);
    await namesAre([...WAITING].sort());
    expect(await page.getByRole('grid').getAttribute('aria-rowcount')).toBe('7');
    await page.getByRole('columnheader', { name: 'Task', exact: true }).getByRole('button').click();
    await namesAre([...WAITING].sort().reverse());
    expect(new URL(page.url()).searchParams.get('sort')).toBe('-name');
    await page.getByRole('button', { name: /^queued/ }).click();
    await page.getByRole('button', { name: /^failed/ }).click();
    await namesAre(['failed']);
    expect(new URL(page.url()).searchParams.get('status')).toBe('failed');
    await row('failed').getByText('exit 3').waitFor();
    await page.getByLabel('Name, image or id').fill('no-such-task');
    await page.keyboard.press('Enter');
    await page.getByText('No task fits the filter').waitFor();
    await page.getByRole('button', { name: 'Clear the filter' }).click();
    await row('runs').waitFor();
  });

  it('is walked, chosen from and left by keys', async () => {
    await open('?tag=list&status=queued&sort=name');
    await namesAre([...WAITING].sort());
    await page.getByRole('grid').focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Shift+ArrowDown');
    await page.getByText('2 of 6 loaded selected').waitFor();
    await page.keyboard.press('Control+a');
    await page.getByText('6 of 6 loaded selected').waitFor();
    await page.keyboard.press('End');
    await page.keyboard.press(' ');
    await page.getByText('5 of 6 loaded selected').waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('Home');
    await page.keyboard.press('Enter');
    await page.waitForURL(`**/tasks/${ids.alpha}`);
  });

  it('is as it was left for whoever goes back to it, and new for whoever follows a link', async () => {
    // Low, so that there is something to scroll.
    await page.setViewportSize({ width: 1280, height: 480 });
    await open('?tag=list&sort=name');
    await row('alpha').waitFor();
    const scroller = page.getByRole('grid');
    await scroller.focus();
    await page.keyboard.press(' ');
    await page.keyboard.press('End');
    await page.keyboard.press(' ');
    await page.getByText('2 of 8 loaded selected').waitFor();
    const place = () =>
      scroller.evaluate((element) => (element as unknown as { scrollTop: number }).scrollTop);
    const before = await place();
    expect(before).toBeGreaterThan(0);
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/tasks\/task-/);
    await page.goBack();
    await page.getByText('2 of 8 loaded selected').waitFor();
    await expect.poll(place).toBe(before);
    await page.getByRole('link', { name: 'Queue' }).click();
    await page.getByRole('link', { name: 'Tasks' }).click();
    await row('runs').waitFor();
    expect(await page.getByText('loaded selected').count()).toBe(0);
    await page.setViewportSize({ width: 1280, height: 900 });
  });

  it('changes a row by what is pushed, with no list to be had', async () => {
    await open('?tag=list&sort=name');
    await row('foxtrot').locator('state-badge[state=queued]').waitFor();
    await page.route('**/api/tasks?*', (route) => route.abort());
    await stage().cluster.call('POST', `/api/tasks/${ids.foxtrot}/cancel`);
    await row('foxtrot').locator('state-badge[state=cancelled]').waitFor();
    await page.unroute('**/api/tasks?*');
  });

  it('cancels many at once and says how that went', async () => {
    await open('?tag=list');
    await row('runs').waitFor();
    await page.getByRole('grid').focus();
    await page.keyboard.press('Control+a');
    await page.getByRole('button', { name: 'Cancel 6' }).click();
    await page.getByLabel('Kill at once what runs').check();
    await page.getByRole('button', { name: 'Cancel 6 tasks' }).click();
    await page.getByText('5 cancelled, 1 being stopped, 2 had ended already.').waitFor();
    await row('runs').locator('state-badge[state=cancelled]').waitFor();
    expect(await page.locator('state-badge[state=cancelled]').count()).toBe(7);
  });

  it('runs a task again, which comes in at the top', async () => {
    await open('?tag=list');
    await row('failed').hover();
    await row('failed').getByRole('button', { name: 'Run again failed' }).click();
    await waitFor(async () => (await names())[0] === 'failed' && (await rows().count()) === 9, {
      what: 'the new row',
    });
  });

  it('is sound for all, on a wide screen and a narrow one', async () => {
    expect(await axeFaults(page)).toEqual([]);
    expect(await phoneFaults(page)).toEqual([]);
  });
}
