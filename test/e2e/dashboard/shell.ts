// What all pages share: the way between them, the palette, themes. How a lost connection is told and healed is in
// first-steps.ts.

import { expect, it } from 'vitest';
import { axeFaults, type DashboardStage, onPhone, overflowPx, visit } from '../../support/dashboard-stage.ts';
import { TEST_IMAGE } from '../../support/servers.ts';

export function shell(stage: () => DashboardStage): void {
  it('leads to the content past the navigation, and moves the focus to the heading of a new page', async () => {
    const { cluster, page } = stage();
    await page.goto(`${cluster.url}/`);
    await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    expect(await focused(page)).toBe('H1 Overview');
    await page.getByRole('link', { name: 'Workers', exact: true }).first().click();
    await page.waitForURL('**/cluster');
    // The part of the program that draws the page is fetched first.
    await page.getByRole('heading', { name: 'Workers', level: 1 }).waitFor();
    await expect.poll(() => focused(page)).toBe('H1 Workers');
    expect(await page.title()).toBe('Workers · CloudAI');
    await page.goBack();
    await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
  });

  it('finds pages, tasks and actions in the palette', async () => {
    const { cluster, page } = stage();
    const { task_id } = await cluster.submit({
      docker_image: TEST_IMAGE,
      name: 'nightly-report',
      cpu_required: 4_000,
    });
    await visit(page, '/account');
    await page.getByRole('heading', { name: 'Account', level: 1 }).waitFor();
    await page.keyboard.press('Control+k');
    const field = page.getByRole('combobox', { name: 'Page, task, worker or action' });
    await field.fill('nightly');
    await page.getByRole('option', { name: /nightly-report/ }).waitFor();
    expect(await axeFaults(page)).toEqual([]);
    await page.keyboard.press('Enter');
    await page.waitForURL(`**/tasks/${task_id}`);
    await page.keyboard.press('Control+k');
    await field.fill('qqqq');
    await page.getByText('Nothing goes by “qqqq”').waitFor();
    await field.fill('queue');
    await page.getByRole('option', { name: 'Queue', exact: true }).waitFor();
    await page.keyboard.press('Escape');
    await page.waitForURL(`**/tasks/${task_id}`);
  });

  it('keeps the chosen theme', async () => {
    const { page } = stage();
    const ground = () => page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
    await page.getByRole('button', { name: 'Theme: system' }).click();
    await page.getByRole('button', { name: 'Theme: light' }).click();
    await page.getByRole('button', { name: 'Theme: dark' }).waitFor();
    const dark = await ground();
    await page.reload();
    await page.getByRole('button', { name: 'Theme: dark' }).waitFor();
    expect(await ground()).toBe(dark);
    await page.getByRole('button', { name: 'Theme: dark' }).click();
    expect(await ground()).not.toBe(dark);
  });

  it('unfolds its navigation on a phone', async () => {
    const { cluster, page } = stage();
    await page.goto(`${cluster.url}/nowhere`);
    await page.getByText('There is nothing at this address').waitFor();
    await onPhone(page, async () => {
      const menu = page.getByRole('button', { name: 'Menu' });
      await menu.click();
      expect(await menu.getAttribute('aria-expanded')).toBe('true');
      expect(await axeFaults(page)).toEqual([]);
      expect(await overflowPx(page)).toBe(0);
      await page.getByRole('link', { name: 'Files' }).click();
      await page.getByRole('heading', { name: 'Files', level: 1 }).waitFor();
      expect(await menu.getAttribute('aria-expanded')).toBe('false');
    });
  });
}

function focused(page: DashboardStage['page']): Promise<string> {
  return page.evaluate<string>(`(() => {
    let at = document.activeElement;
    while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
    return at ? at.tagName + ' ' + at.textContent.trim() : '';
  })()`);
}
