// The pages of the workers.

import { expect, it } from 'vitest';
import { freePort } from '../../support/cluster.ts';
import { axeFaults, type DashboardStage, phoneFaults, visit } from '../../support/dashboard-stage.ts';
import { TEST_IMAGE } from '../../support/servers.ts';

export function workersPages(stage: () => DashboardStage): void {
  it('registers a machine, says what is wrong with its address, and shows that it does not answer', async () => {
    const { page } = stage();
    await visit(page, '/cluster');
    await page.getByRole('button', { name: 'Register a machine' }).click();
    await page.waitForURL(/register=true/);
    await page.getByLabel('Name', { exact: true }).fill('worker-3');
    await page.getByLabel('Address', { exact: true }).fill('http://10.0.0.3');
    await page.getByRole('button', { name: 'Register', exact: true }).click();
    await page.getByText('must be a host and a port').waitFor();
    await page.getByLabel('Address', { exact: true }).fill(`127.0.0.1:${await freePort()}`);
    await page.getByRole('button', { name: 'Register', exact: true }).click();
    await page.getByRole('status').getByText('worker-3 is unreachable: nobody answers').waitFor();
    await page.locator('state-badge', { hasText: 'unreachable' }).waitFor();
    await page.getByRole('table').getByText('the connection was refused').waitFor();
    expect(await axeFaults(page)).toEqual([]);
  });

  it('finds and filters workers as the address says, and removes one after asking', async () => {
    const { cluster, page } = stage();
    await page.goto(`${cluster.url}/cluster?state=unreachable`);
    const rows = page.getByRole('table').getByRole('row');
    await rows.getByRole('link', { name: 'worker-3' }).waitFor();
    expect(await rows.count()).toBe(2);
    await page.getByRole('searchbox').fill('no such worker');
    await page.getByText('No worker fits').waitFor();
    await page.waitForURL(/q=no\+such\+worker/);
    await page.getByRole('searchbox').fill('worker-3');
    await page.getByRole('button', { name: 'Remove worker-3' }).click();
    await page.getByRole('button', { name: 'Remove', exact: true }).click();
    await page.getByText('worker-3 is removed').waitFor();
    await page.getByText('No worker fits').waitFor();
  });

  it('shows which task holds which part of a worker, and keeps new ones from it', async () => {
    const { cluster, page } = stage();
    const { body } = await cluster.call<{ task_id: string }>('POST', '/api/tasks', {
      docker_image: TEST_IMAGE,
      command: 'sleep 600',
      name: 'holder',
      cpu_required: 0.5,
      memory_required: 64,
    });
    await visit(page, '/cluster');
    const part = page.getByRole('list', { name: /^Cores of/ }).getByRole('link', { name: 'holder' });
    await part.waitFor();
    expect(await part.getAttribute('href')).toBe(`/tasks/${body.task_id}`);
    expect(await phoneFaults(page)).toEqual([]);
    await page.getByRole('table').getByRole('link').first().click();
    await page.waitForURL(/\/cluster\/.+/);
    await page
      .getByRole('table', { name: 'Tasks on this worker' })
      .getByRole('link', { name: 'holder' })
      .waitFor();
    await page.getByRole('button', { name: 'Memory' }).click();
    await page.waitForURL(/of=memory/);
    await page
      .getByRole('list', { name: /^Memory of/ })
      .getByText('64 MB')
      .first()
      .waitFor();
    expect(await phoneFaults(page)).toEqual([]);

    const badge = page.locator('.title state-badge');
    await page.getByRole('button', { name: /^Cordon/ }).click();
    await badge.getByText('cordoned').waitFor();
    await page.getByRole('button', { name: /^Drain/ }).click();
    await page.getByText('1 task there').first().waitFor();
    await page.getByRole('button', { name: 'Drain', exact: true }).click();
    await badge.getByText('draining').waitFor();
    await page.getByText('Until its 1 task has ended.').waitFor();
    expect(await page.getByRole('button', { name: /^Remove/ }).isDisabled()).toBe(true);

    const change = page.getByRole('button', { name: /^Change deadline of/ });
    await change.click();
    await page.getByRole('textbox', { name: 'Minutes' }).fill('soon');
    await page.getByRole('button', { name: 'Change', exact: true }).click();
    await page.getByRole('alert').getByText('Say how many minutes').waitFor();
    expect(await axeFaults(page)).toEqual([]);
    await page.getByRole('textbox', { name: 'Minutes' }).fill('90');
    await page.getByRole('button', { name: 'Change', exact: true }).click();
    await page.getByText(/^Draining until .*, in 1h 29m/).waitFor();
    await change.click();
    await page.getByLabel('Now', { exact: true }).check();
    await page.getByText('The 1 task there is stopped and begins again').waitFor();
    await page.getByRole('button', { name: 'Change', exact: true }).click();
    await page.getByText('Drained: it is empty').waitFor();
    await page.getByRole('button', { name: /^Uncordon/ }).click();
    await badge.getByText('ready').waitFor();

    // It has left, and comes back as a new attempt.
    await visit(page, `/tasks/${body.task_id}?view=story`);
    const story = page.getByRole('region', { name: 'Story' }).getByRole('listitem');
    await story.filter({ hasText: 'Attempt 2' }).getByText('running', { exact: true }).waitFor();
    const first = story.filter({ hasText: 'Attempt 1' });
    await first.locator('state-badge[state=evicted]').waitFor();
    await first.getByText('Stopped because its worker is being emptied; it runs again').waitFor();
    expect(await axeFaults(page)).toEqual([]);
    await page.goBack();

    await cluster.call('POST', `/api/tasks/${body.task_id}/cancel`, { force: true });
    await page.getByRole('table', { name: 'Tasks on this worker' }).waitFor({ state: 'detached' });
  });

  it('says so when there is no such worker', async () => {
    const { page } = stage();
    await visit(page, '/cluster/nobody');
    await page.getByText('There is no worker of this name').waitFor();
  });
}
