// From the first visit to a finished task, as a new user does it.

import { expect, it } from 'vitest';
import {
  axeFaults,
  type DashboardStage,
  PASSWORD,
  phoneFaults,
  visit,
} from '../../support/dashboard-stage.ts';
import { TEST_IMAGE } from '../../support/servers.ts';

const SMALL = { docker_image: TEST_IMAGE, cpu_required: 0.5, memory_required: 64 };

export function firstSteps(stage: () => DashboardStage): void {
  it('lets a new user make an account and sign in by keyboard alone, and leads where the address pointed', async () => {
    const { cluster, open } = stage();
    const page = await open();
    await page.goto(`${cluster.url}/tasks?status=failed`);
    await page.getByRole('heading', { name: 'Sign in to CloudAI' }).waitFor();
    expect(await axeFaults(page)).toEqual([]);
    expect(await phoneFaults(page)).toEqual([]);
    await page.getByRole('button', { name: 'Create one' }).click();
    await page.getByLabel('Username').fill('alice');
    await page.getByLabel('Password').fill(PASSWORD);
    await page.locator('button.primary').click();
    await page.getByRole('heading', { name: 'Tasks', level: 1 }).waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in to CloudAI' }).waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.type('alice');
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

  it('submits a task, shows its output and result, and lists it', async () => {
    const { page } = stage();
    await visit(page, '/submit');
    await page.getByRole('combobox', { name: 'Image' }).fill(TEST_IMAGE);
    await page.getByLabel('Command', { exact: true }).fill('echo hello from the dashboard');
    await page.getByLabel('Cores').fill('0.5');
    await page.getByLabel('Memory', { exact: true }).fill('64');
    await page.getByRole('button', { name: 'Submit' }).click();
    await page.waitForURL(/\/tasks\/task-/);
    await page.getByRole('log').getByText('hello from the dashboard').waitFor();
    await page.locator('state-badge', { hasText: 'completed' }).first().waitFor();
    await page.getByRole('link', { name: 'Tasks', exact: true }).click();
    await page.getByRole('grid').getByText(TEST_IMAGE).first().waitFor();
  });

  it('shows how far a task is and its unfinished line, and goes on by itself when the API was away', async () => {
    const { cluster, page } = stage();
    const { task_id } = await cluster.submit({
      ...SMALL,
      command: 'echo first; echo "::progress 42 half way"; printf "almost "; sleep 4; echo there; sleep 600',
    });
    await visit(page, `/tasks/${task_id}`);
    await page.getByText('half way').waitFor();
    await page.getByText('42%').waitFor();
    await page.getByText('almost').last().waitFor();
    await cluster.api.end('SIGKILL');
    const notice = page.getByText('The live connection is lost');
    await notice.waitFor();
    cluster.api.start();
    // The next try may be some seconds away, and the API takes its time to start on a busy machine.
    await notice.waitFor({ state: 'detached' });
    await page.getByRole('log').getByText('almost there').last().waitFor();
    expect(await page.getByRole('log').getByText('first').count()).toBe(1);
  });
}
