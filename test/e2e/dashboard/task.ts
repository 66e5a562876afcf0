// The page of one task: its story, its files and what is in them, its spec, why it waits, what can be done with it.

import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import {
  axeFaults,
  type DashboardStage,
  onPhone,
  overflowPx,
  phoneFaults,
  visit,
} from '../../support/dashboard-stage.ts';
import { TEST_IMAGE } from '../../support/servers.ts';

const SMALL = { docker_image: TEST_IMAGE, cpu_required: 0.25, memory_required: 32 };
const PNG =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
/** Wherever it ran as a document, it would leave its mark on the page. */
const SVG =
  '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20" onload="top.svgRan=1"><script>top.svgRan=1;parent.svgRan=1</script><rect width="40" height="20"/></svg>';
const LEAVE_FILES = [
  'for i in 1 2 3; do echo "line $i"; done',
  'mkdir /output/plots',
  `printf 'first line\\nsecond line\\n' > /output/notes.txt`,
  `printf 'epoch,loss\\n1,"0,5"\\n2,0.25\\n' > /output/scores.csv`,
  `printf '%s' '${PNG}' | base64 -d > /output/plots/loss.png`,
  `printf '%s' '${SVG}' > /output/plots/figure.svg`,
].join(' && ');

export function taskPage(stage: () => DashboardStage): void {
  let withFiles = '';

  it('tells the story of a task that was tried twice, and is known by its tab', async () => {
    const { cluster, page } = stage();
    const { task_id } = await cluster.submit({
      ...SMALL,
      name: 'flaky',
      command: 'echo try; exit 3',
      max_retries: 1,
    });
    await visit(page, `/tasks/${task_id}?view=story`);
    const story = page.getByRole('region', { name: 'Story' }).getByRole('listitem');
    await story.getByText('Attempt 2').waitFor();
    await page.getByRole('heading', { name: 'flaky' }).waitFor();
    await expect.poll(() => page.title()).toBe('✗ failed flaky · CloudAI');
    expect(await story.count()).toBe(3);
    expect(await story.nth(1).textContent()).toMatch(/Attempt 1[\s\S]*waited .*ran [\s\S]*exit code 3/);
    expect(await story.nth(1).locator('state-badge').getAttribute('state')).toBe('failed');
    expect(await page.locator('attempt-picture rect.ran.failed').count()).toBeGreaterThanOrEqual(2);
    await page.getByText('2 of 2').waitFor();
  });

  it('cancels a task after a question, and runs it again as a new one', async () => {
    const { cluster, page } = stage();
    const { task_id } = await cluster.submit({ ...SMALL, command: 'echo up; sleep 600' });
    await visit(page, `/tasks/${task_id}`);
    await page.getByRole('log').getByText('up').waitFor();
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await page.getByLabel('Kill it at once').check();
    await page.getByRole('button', { name: 'Cancel the task' }).click();
    await page.locator('header state-badge', { hasText: 'cancelled' }).waitFor();
    expect(await page.getByRole('link', { name: 'Run with changes' }).getAttribute('href')).toBe(
      `/submit?from=${task_id}`,
    );
    await page.getByRole('button', { name: 'Run again' }).click();
    await page.waitForURL((url) => /\/tasks\/task-/.test(url.pathname) && !url.pathname.endsWith(task_id));
    await page.getByRole('log').getByText('up').waitFor();
    const again = new URL(page.url()).pathname.slice('/tasks/'.length);
    await cluster.call('POST', `/api/tasks/${again}/cancel`, { force: true });
    await page.locator('header state-badge', { hasText: 'cancelled' }).waitFor();
  });

  it('shows what is in its files: text, a table, pictures; also from an address, and nothing in them runs', async () => {
    const { cluster, page } = stage();
    withFiles = (
      await cluster.submit({
        ...SMALL,
        name: 'files',
        command: LEAVE_FILES,
        env: { KEY: 'hush' },
        secrets: ['KEY'],
      })
    ).task_id;
    expect((await stage().cluster.ended(withFiles)).status).toBe('completed');
    await page.goto(`${cluster.url}/tasks/${withFiles}?view=files`);
    await page.getByRole('link', { name: 'notes.txt' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('second line').waitFor();
    expect(new URL(page.url()).searchParams.get('file')).toBe('notes.txt');
    await page.reload();
    await dialog.getByText('second line').waitFor();
    expect(await axeFaults(page)).toEqual([]);
    await page.keyboard.press('Escape');
    await expect.poll(() => new URL(page.url()).searchParams.get('file')).toBeNull();

    await page.getByRole('link', { name: 'scores.csv' }).click();
    await dialog.getByRole('cell', { name: '0,5' }).waitFor();
    await page.keyboard.press('Escape');
    for (const [name, width] of [
      ['loss.png', 1],
      ['figure.svg', 40],
    ] as const) {
      await page.getByRole('link', { name }).click();
      const picture = dialog.getByRole('img', { name });
      await expect
        .poll(() => picture.evaluate((image) => (image as unknown as { naturalWidth: number }).naturalWidth))
        .toBe(width);
      expect(await picture.getAttribute('src')).toMatch(/^blob:/);
      await page.keyboard.press('Escape');
    }
    expect(await page.evaluate('window.svgRan')).toBeUndefined();
    await page.getByRole('link', { name: 'loss.png' }).waitFor();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Save plots/figure.svg' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('figure.svg');
    expect(await readFile(await download.path(), 'utf8')).toBe(SVG);
  });

  it('gives back its spec as JSON, with secrets hidden', async () => {
    const { page } = stage();
    await visit(page, `/tasks/${withFiles}?view=spec`);
    const json = page.getByRole('region', { name: 'The spec as JSON' });
    const spec = JSON.parse((await json.textContent()) ?? '');
    expect(spec).toEqual({
      ...SMALL,
      name: 'files',
      command: LEAVE_FILES,
      env: { KEY: '********' },
      secrets: ['KEY'],
    });
    await page.getByLabel('With defaults').check();
    await expect
      .poll(async () => JSON.parse((await json.textContent()) ?? ''))
      .toMatchObject({ priority: 5, network: 'bridge', max_retries: 0 });
    await page.getByText('hidden here').waitFor();
  });

  it('shows what a waiting task needs against what is free, until it is gone from the queue', async () => {
    const { cluster, page } = stage();
    const { task_id } = await cluster.submit({ ...SMALL, cpu_required: 4_000 });
    await visit(page, `/tasks/${task_id}`);
    const why = page.getByRole('region', { name: 'Why it waits' });
    await why.getByText('4000 cores').waitFor();
    await why.getByRole('columnheader', { name: 'Cores: needs 4,000' }).waitFor();
    await why.getByText('too little: needs 4,000').first().waitFor();
    await why.getByText('is too small').first().waitFor();
    expect(await axeFaults(page)).toEqual([]);
    await cluster.call('POST', `/api/tasks/${task_id}/cancel`, {});
    await why.waitFor({ state: 'detached' });
  });

  it('keeps the output while another view is open', async () => {
    const { page } = stage();
    await visit(page, `/tasks/${withFiles}`);
    await page.getByRole('log').getByText('line 3').waitFor();
    await page.locator('task-log').evaluate((log) => Object.assign(log, { mark: 'it' }));
    const views = page.getByRole('navigation', { name: 'Views of the task' });
    await views.getByRole('link', { name: 'Spec' }).click();
    await page.getByRole('log').waitFor({ state: 'hidden' });
    await views.getByRole('link', { name: 'Output' }).click();
    await page.getByRole('log').getByText('line 3').waitFor();
    expect(await page.locator('task-log').evaluate((log) => (log as { mark?: string }).mark)).toBe('it');
    expect(new URL(page.url()).search).toBe('');
  });

  it('reads well in the dark on a phone, and says so when there is no such task', async () => {
    const { page } = stage();
    const narrow = () => expect.poll(() => overflowPx(page)).toBe(0);
    expect(await phoneFaults(page)).toEqual([]);
    await onPhone(page, async () => {
      const views = page.getByRole('navigation', { name: 'Views of the task' });
      for (const view of ['Files', 'Usage', 'Story', 'Spec']) {
        await views.getByRole('link', { name: view }).click();
        await page.getByRole('region', { name: view, exact: true }).waitFor();
        if (view === 'Files') await page.getByRole('link', { name: 'notes.txt' }).waitFor();
        await narrow();
      }
    });
    for (const nobody of ['task-01jd8x2b9q3v5w7y8z0a1c2d3e', 'task-1']) {
      await visit(page, `/tasks/${nobody}`);
      await page.getByText('There is no such task').waitFor();
    }
  });
}
