// The page of the users, and the board of the queues that it leads to.

import { expect, it } from 'vitest';
import { axeFaults, type DashboardStage, phoneFaults, visit } from '../../support/dashboard-stage.ts';

export function adminPage(stage: () => DashboardStage): void {
  it('adds a user, finds them, changes what they may do', async () => {
    const { page } = stage();
    await visit(page, '/admin');
    await page.getByRole('link', { name: 'Add a user' }).click();
    await page.getByLabel('Username').fill('x');
    await page.getByLabel('Password', { exact: true }).fill('secure123');
    await page.getByRole('button', { name: 'Add the user' }).click();
    await page.getByRole('alert').getByText('Must be 2 to 63').waitFor();
    await page.getByLabel('Username').fill('dora');
    await page.getByRole('button', { name: 'Add the user' }).click();
    await page.getByText('dora is added').waitFor();
    await page.getByLabel('Search users').fill('DOR');
    await page.getByText('1 user', { exact: true }).waitFor();
    await page.getByRole('link', { name: 'Change dora' }).click();
    await page.getByLabel('Unfinished tasks at most').fill('3');
    await page.getByLabel('Cores').fill('2.5');
    await page.getByText('Holds 0 now').first().waitFor();
    await page.getByLabel('Disabled').check();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('0 of 3 unfinished tasks').waitFor();
    await page.getByText('0 of 2.5 cores').waitFor();
    await page.getByRole('table').getByText('disabled').waitFor();
    expect(await axeFaults(page)).toEqual([]);
    await page.getByRole('link', { name: 'Change dora' }).click();
    await page.getByLabel('Unfinished tasks at most').waitFor();
    expect(await phoneFaults(page)).toEqual([]);
    await page.getByRole('button', { name: 'Cancel' }).click();
  });

  it('says why the last admin cannot be disabled', async () => {
    const { page } = stage();
    await visit(page, '/admin?edit=admin');
    await page.getByText('This is your own account').waitFor();
    await page.getByLabel('Disabled').check();
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('alert').getByText('last').waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
  });

  it('opens the queue board for an admin, with the intake and the queue of the worker, and nothing from elsewhere', async () => {
    const { cluster, page, faults } = stage();
    const { body } = await cluster.call<{ workers: { worker_id: string; state: string }[] }>(
      'GET',
      '/workers',
    );
    const worker = body.workers.find(({ state }) => state === 'up' || state === 'ready') ?? body.workers[0];
    await visit(page, '/admin');
    const opening = page.context().waitForEvent('page');
    await page.getByRole('button', { name: 'BullMQ queues' }).click();
    const board = await opening;
    board.on('console', (message) => {
      if (/content security policy/i.test(message.text())) faults.push(message.text());
    });
    board.on('request', (request) => {
      if (!request.url().startsWith(cluster.url)) faults.push(`request to ${request.url()}`);
    });
    await board.waitForURL(`${cluster.url}/queues`);
    await board.getByText('intake').first().waitFor();
    await board.getByText(`worker-${worker?.worker_id}`).first().waitFor();
    await board.reload();
    await board.getByText('intake').first().click();
    await board.waitForURL(/queue\/intake/);
    await board.close();
  });
}
