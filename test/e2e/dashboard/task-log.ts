// The output on the page of a task, and what the task used.

import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import type { TaskUsageReply } from '../../../shared/contracts/task-usage.ts';
import { axeFaults, type DashboardStage, phoneFaults, visit } from '../../support/dashboard-stage.ts';
import { TEST_IMAGE } from '../../support/servers.ts';
import { waitFor } from '../../support/wait-for.ts';

const SMALL = { docker_image: TEST_IMAGE, cpu_required: 0.1, memory_required: 16 };
/** More than are fetched at first, and than come with one page. */
const LINES = 8_000;
/** A line in colour, a line that looks like markup, one on stderr, and many numbers. */
const TALK = [
  `printf '\\033[1;31mred\\033[0m and \\033[38;5;208morange\\033[0m\\n'`,
  `echo '<img src=x onerror=alert(1)>'`,
  `echo 'a warning' >&2; sleep 0.3`,
  `seq 4 ${LINES}`,
].join('; ');
/** Busy until it is stopped: how often it is looked at meanwhile hangs on how busy the machine is. */
const BUSY = 'while true; do i=0; while [ $i -lt 9999 ]; do i=$((i+1)); done; done';

export function taskOutput(stage: () => DashboardStage): void {
  let busy = '';
  let talk = '';
  const log = (page: Page) => page.getByRole('log');
  const row = (page: Page, text: string) =>
    log(page)
      .locator('.line')
      .filter({ has: page.getByText(text, { exact: true }) });

  it('shows colours as colours, markup as text, stderr by more than a colour', async () => {
    const { cluster, page } = stage();
    busy = (await cluster.submit({ ...SMALL, command: BUSY })).task_id;
    talk = (await cluster.submit({ ...SMALL, command: TALK })).task_id;
    // A page that is open before the first line follows to the last.
    await cluster.ended(talk);
    await page.goto(`${cluster.url}/tasks/${talk}?line=1`);
    const red = row(page, 'red').locator('.bold');
    await red.waitFor();
    expect(
      await red.evaluate((span: { computedStyleMap(): { get(name: string): unknown } }) =>
        String(span.computedStyleMap().get('color')),
      ),
    ).toBe('rgb(179, 38, 30)');
    await log(page).getByText('<img src=x onerror=alert(1)>').waitFor();
    await log(page).locator('.stderr', { hasText: 'a warning' }).getByText('err', { exact: true }).waitFor();
    await page.getByLabel('Stream').selectOption('stderr');
    await log(page).getByText('<img').waitFor({ state: 'detached' });
    expect(await log(page).getByText('a warning').count()).toBe(1);
    await page.getByLabel('Stream').selectOption('');
    expect(await axeFaults(page)).toEqual([]);
  });

  it('goes to the line of an address, marks it, and goes on from there to the end', async () => {
    const { cluster, page } = stage();
    await page.goto(`${cluster.url}/tasks/${talk}?line=3000&attempt=1`);
    await log(page).locator('.marked', { hasText: '3000' }).waitFor();
    await page.getByLabel('Go to line').fill('5432');
    await page.getByLabel('Go to line').press('Enter');
    await log(page).locator('.marked', { hasText: '5432' }).waitFor();
    expect(new URL(page.url()).searchParams.get('line')).toBe('5432');
    await page.getByRole('button', { name: 'Jump to the end' }).click();
    await log(page).getByText(String(LINES), { exact: true }).last().waitFor();
    expect(new URL(page.url()).searchParams.get('line')).toBeNull();
  });

  it('reads all of it, from the end back to the first line, and holds its place meanwhile', async () => {
    const { cluster, page } = stage();
    await page.goto(`${cluster.url}/tasks/${talk}`);
    await log(page).getByText(String(LINES), { exact: true }).last().waitFor();
    await log(page).focus();
    const first = page.getByRole('link', { name: 'Line 1', exact: true });
    await waitFor(
      async () => {
        await page.keyboard.press('Home');
        return (await first.count()) > 0 && (await first.isVisible());
      },
      { what: 'the first line' },
    );
    await page.getByText(`${LINES.toLocaleString()} lines`).waitFor();
    await page.keyboard.press('End');
    await log(page).getByText(String(LINES), { exact: true }).last().waitFor();
  });

  it('is searched: plain text, patterns, back and forth, from the address', async () => {
    const { cluster, page } = stage();
    await page.goto(`${cluster.url}/tasks/${talk}?q=799`);
    const search = page.getByRole('searchbox', { name: 'Search the output' });
    // 7990 to 7999 and 3799, 4799 to 7799; 799 to 2799 are not loaded yet.
    await page.getByText('15', { exact: true }).waitFor();
    expect(await search.inputValue()).toBe('799');
    await log(page).focus();
    await page.keyboard.press('Control+f');
    await page.keyboard.press('Enter');
    await page.getByText(/^\d+ of 15$/).waitFor();
    const before = await log(page).locator('mark.current').textContent();
    expect(before).toBe('799');
    await page.keyboard.press('Shift+Enter');
    await log(page).locator('mark.current').waitFor();
    await search.fill('^799[05]$');
    await page.getByText('no find').waitFor();
    await page.getByRole('button', { name: 'Regular expression' }).click();
    await page.getByText('2', { exact: true }).waitFor();
    await search.fill('(');
    await page.getByRole('alert').waitFor();
    await search.fill('');
  });

  it('follows until it is scrolled up, and follows again', async () => {
    const { cluster, page } = stage();
    const { task_id } = await cluster.submit({
      ...SMALL,
      command: 'seq 1 200; i=0; while [ $i -lt 300 ]; do i=$((i+1)); echo "beat $i"; sleep 0.1; done',
    });
    await visit(page, `/tasks/${task_id}`);
    await log(page).getByText('beat 3', { exact: true }).waitFor();
    await log(page).hover();
    await page.mouse.wheel(0, -800);
    const jump = page.getByRole('button', { name: /Jump to the end · \d+ new/ });
    await jump.waitFor();
    const top = () => log(page).evaluate((box: { scrollTop: number }) => box.scrollTop);
    const held = await top();
    const news = await jump.textContent();
    await waitFor(async () => (await jump.textContent()) !== news, { what: 'more lines' });
    expect(await top()).toBe(held);
    await jump.click();
    await jump.waitFor({ state: 'detached' });
    const there =
      (await log(page)
        .getByText(/^beat \d+$/)
        .last()
        .textContent()) ?? '';
    await log(page)
      .getByText(`beat ${Number(there.slice(5)) + 2}`, { exact: true })
      .waitFor();
    await page.getByRole('button', { name: 'Wrap lines' }).click();
    await page.getByLabel('Times').selectOption('relative');
    await log(page).locator('time').first().waitFor();
    await page.reload();
    await log(page).locator('time').first().waitFor();
    expect(await page.getByRole('button', { name: 'Wrap lines' }).getAttribute('aria-pressed')).toBe('false');
    await page.getByRole('button', { name: 'Wrap lines' }).click();
    await page.getByLabel('Times').selectOption('off');
    await cluster.call('POST', `/api/tasks/${task_id}/cancel`, { force: true });
  });

  it('is downloaded as it was written', async () => {
    const { cluster, page } = stage();
    await visit(page, `/tasks/${talk}`);
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Download the whole output' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe(`${talk}-1.log`);
    const saved = await readFile(await download.path(), 'utf8');
    const asked = await fetch(`${cluster.url}/api/tasks/${talk}/logs`, {
      headers: { authorization: `Bearer ${cluster.token}` },
    });
    expect(saved).toBe(await asked.text());
    expect(saved.split('\n')).toHaveLength(LINES + 1);
  });

  it('stands beside what the task used, while it ran and afterwards', async () => {
    const { cluster, page } = stage();
    await visit(page, `/tasks/${busy}?view=usage`);
    const plots = page.locator('time-plot');
    await page.locator('time-plot').first().waitFor();
    expect(await plots.count()).toBe(2);
    await cluster.call('POST', `/api/tasks/${busy}/cancel`, { force: true });
    await cluster.ended(busy);
    await page.reload();
    await plots.first().waitFor();
    const { body } = await cluster.call<TaskUsageReply>('GET', `/api/tasks/${busy}/usage`);
    expect(body.points.length).toBeGreaterThan(1);
    expect(await axeFaults(page)).toEqual([]);
    expect(await phoneFaults(page)).toEqual([]);
  });

  it('reads well in the dark on a phone', async () => {
    const { page } = stage();
    await visit(page, `/tasks/${talk}?line=1&q=a`);
    await row(page, 'red').waitFor();
    expect(await phoneFaults(page)).toEqual([]);
  });
}
