// What all pages share: the way between them, the palette, themes, and how a lost connection is told and healed.

import { expect, it } from 'vitest';
import { axeFaults, type DashboardStage, overflowPx, PASSWORD } from '../../support/dashboard-stage.ts';
import { TEST_IMAGE } from '../../support/servers.ts';

export function shell(stage: () => DashboardStage): void {
  it('signs in by keyboard alone, and leads where the address pointed', async () => {
    const { cluster, open } = stage();
    const page = await open();
    await page.goto(`${cluster.url}/tasks?status=failed`);
    await page.getByRole('heading', { name: 'Sign in to CloudAI' }).waitFor();
    expect(await axeFaults(page)).toEqual([]);
    await page.keyboard.press('Tab');
    await page.keyboard.type('admin');
    await page.keyboard.press('Tab');
    await page.keyboard.type('wrong-password');
    await page.keyboard.press('Enter');
    await page.getByText('Wrong username or password').waitFor();
    await page.getByLabel('Password', { exact: true }).fill('');
    await page.keyboard.type(PASSWORD);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Tasks', level: 1 }).waitFor();
    expect(page.url()).toContain('status=failed');
    await page.context().close();
  });

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
      command: 'true',
      name: 'nightly-report',
    });
    await page.goto(`${cluster.url}/`);
    await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
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
    const { cluster, open } = stage();
    const page = await open('admin', { colorScheme: 'light' });
    await page.goto(`${cluster.url}/`);
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
    await page.context().close();
  });

  it('unfolds its navigation on a phone', async () => {
    const { cluster, open } = stage();
    const page = await open('admin', { viewport: { width: 360, height: 740 }, colorScheme: 'dark' });
    await page.goto(`${cluster.url}/nowhere`);
    await page.getByText('There is nothing at this address').waitFor();
    const menu = page.getByRole('button', { name: 'Menu' });
    await menu.click();
    expect(await menu.getAttribute('aria-expanded')).toBe('true');
    expect(await axeFaults(page)).toEqual([]);
    expect(await overflowPx(page)).toBe(0);
    await page.getByRole('link', { name: 'Files' }).click();
    await page.getByRole('heading', { name: 'Files', level: 1 }).waitFor();
    expect(await menu.getAttribute('aria-expanded')).toBe('false');
    await page.context().close();
  });

  it('says that the connection is lost, and heals by itself', async () => {
    const { cluster, page } = stage();
    await page.goto(`${cluster.url}/`);
    await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
    await cluster.api.end('SIGKILL');
    const notice = page.getByText('The live connection is lost');
    await notice.waitFor();
    cluster.api.start();
    // The next try may be ten seconds away, and the API takes its time to start on a busy machine.
    await notice.waitFor({ state: 'detached' });
  });
}

function focused(page: DashboardStage['page']): Promise<string> {
  return page.evaluate<string>(`(() => {
    let at = document.activeElement;
    while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
    return at ? at.tagName + ' ' + at.textContent.trim() : '';
  })()`);
}
