// From the first visit to a finished task, as a new user does it.

import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import type { DashboardStage } from '../../support/dashboard-stage.ts';
import { TEST_IMAGE } from '../../support/servers.ts';

/** Fills the form for a task with `command` and sends it; the page of the task is open afterwards. */
async function submit({ cluster, page }: DashboardStage, command: string): Promise<void> {
  await page.goto(`${cluster.url}/submit`);
  await page.getByRole('combobox', { name: 'Image' }).fill(TEST_IMAGE);
  await page.getByLabel('Command', { exact: true }).fill(command);
  await page.getByLabel('Cores').fill('0.5');
  await page.getByLabel('Memory', { exact: true }).fill('64');
  await page.getByRole('button', { name: 'Submit' }).click();
  await page.waitForURL(/\/tasks\/task-/);
}

export function firstSteps(stage: () => DashboardStage): void {
  it('lets a new user make an account and signs them in', async () => {
    const { cluster, open } = stage();
    const page = await open();
    await page.goto(cluster.url);
    await page.getByRole('button', { name: 'Create one' }).click();
    await page.getByLabel('Username').fill('alice');
    await page.getByLabel('Password').fill('secure123');
    await page.locator('button.primary').click();
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
    await page.context().close();
  });

  it('submits a task and shows its output and result', async () => {
    const { page } = stage();
    await submit(stage(), 'echo hello from the dashboard');
    await page.getByRole('log').getByText('hello from the dashboard').waitFor();
    await page.locator('state-badge', { hasText: 'completed' }).first().waitFor();
  });

  it('lists it', async () => {
    const { cluster, page } = stage();
    await page.goto(`${cluster.url}/tasks`);
    await page.getByText(TEST_IMAGE).first().waitFor();
  });

  it('cancels a running task', async () => {
    const { page } = stage();
    await submit(stage(), 'echo up; sleep 600');
    await page.getByRole('log').getByText('up').waitFor();
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await page.getByLabel('Kill it at once').check();
    await page.getByRole('button', { name: 'Cancel the task' }).click();
    await page.locator('state-badge', { hasText: 'cancelled' }).first().waitFor();
  });

  it('shows how far a task is, and its unfinished line', async () => {
    const { page } = stage();
    await submit(stage(), 'echo "::progress 42 half way"; printf "almost there"; sleep 600');
    await page.getByText('half way').waitFor();
    await page.getByText('42%').waitFor();
    await page.getByText('almost there').last().waitFor();
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await page.getByLabel('Kill it at once').check();
    await page.getByRole('button', { name: 'Cancel the task' }).click();
    await page.locator('state-badge', { hasText: 'cancelled' }).first().waitFor();
  });

  it('lists the files a task left and saves one', async () => {
    const { page } = stage();
    await submit(stage(), 'mkdir /output/model; echo weights > /output/model/weights.txt');
    await page.locator('state-badge', { hasText: 'completed' }).first().waitFor();
    await page
      .getByRole('navigation', { name: 'Views of the task' })
      .getByRole('link', { name: 'Files' })
      .click();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Save model/weights.txt' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('weights.txt');
    expect(await readFile(await download.path(), 'utf8')).toBe('weights\n');
  });

  it('goes on by itself when the API was away', async () => {
    const { cluster, page } = stage();
    await submit(stage(), 'echo first; sleep 4; echo second; sleep 600');
    await page.getByRole('log').getByText('first').waitFor();
    await cluster.api.end('SIGKILL');
    cluster.api.start();
    // The API takes its time to start where other clusters do the same.
    await page.getByRole('log').getByText('second').waitFor();
    expect(await page.getByRole('log').getByText('first').count()).toBe(1);
  });

  it('says why a task waits that fits nowhere', async () => {
    const { cluster, page } = stage();
    const { task_id } = await cluster.submit({ docker_image: TEST_IMAGE, cpu_required: 4_000 });
    await page.goto(`${cluster.url}/tasks/${task_id}`);
    await page
      .getByText(/4,?000 cores/)
      .first()
      .waitFor();
  });
}
