// The page of the queue.

import { expect, it } from 'vitest';
import type { WorkerListReply } from '../../../shared/contracts/workers.ts';
import { axeFaults, type DashboardStage, phoneFaults, visit } from '../../support/dashboard-stage.ts';
import { TEST_IMAGE } from '../../support/servers.ts';

export function queuePage(stage: () => DashboardStage): void {
  it('shows who waits, why and until when, and lets them go once they start', async () => {
    const { cluster, page } = stage();
    const { body: list } = await cluster.call<WorkerListReply>('GET', '/workers');
    const cores = list.workers[0]?.capacity.cpu ?? 1;
    const submit = async (name: string, over: object) => {
      // A kind of its own, so that nothing is known of how long it runs.
      const kind = { docker_image: TEST_IMAGE, tag: 'of-the-queue' };
      const body = { ...kind, name, command: 'sleep 600', memory_required: 16, ...over };
      const reply = await cluster.call<{ task_id: string }>('POST', '/api/tasks', body);
      return reply.body.task_id;
    };
    const filler = await submit('filler', { cpu_required: cores, priority: 9 });
    const waiter = await submit('waiter', { cpu_required: cores, command: 'true' });
    const picky = await submit('picky', { constraints: { disk: 'tape' } });
    const giant = await submit('giant', { cpu_required: cores + 1, tag: 'large' });

    await visit(page, '/queue');
    const rows = page.getByRole('table', { name: 'What waits' }).getByRole('row');
    const row = rows.filter({ hasText: 'waiter' });
    await row.getByText('No room').waitFor();
    await row.getByText(/^Waits: needs \d+ cores?,/).waitFor();
    // Nothing is known of the kind, so the filler is taken to run for five minutes.
    await row.getByText(/^in \dm$/).waitFor();
    await row.getByText(/^between now and|^between \d/).waitFor();
    expect(await row.getByRole('link', { name: 'waiter' }).getAttribute('href')).toBe(`/tasks/${waiter}`);
    await rows.filter({ hasText: 'giant' }).getByText('Too large').waitFor();
    await rows.filter({ hasText: 'giant' }).getByText('unknown').waitFor();

    await rows.filter({ hasText: 'picky' }).getByText('Labels missing').waitFor();
    await rows.filter({ hasText: 'picky' }).getByText('disk=tape').waitFor();
    await page.getByText(/^round-robin, no preemption/).waitFor();

    await page.getByText('What if…?').click();
    await page.getByLabel('How many').fill('2');
    await page.getByLabel('Of which kind').selectOption(waiter);
    await page.getByRole('button', { name: 'Ask', exact: true }).click();
    await page.getByText(/^0 of 2 tasks would be placed now, 2 would wait/).waitFor();
    await page.getByLabel('Further workers').fill('4');
    await page.getByLabel('Cores each').fill(String(cores));
    await page.getByRole('button', { name: 'Ask', exact: true }).click();
    await page.getByText(/^All 2 tasks would be placed now/).waitFor();
    await page
      .getByRole('table', { name: 'What each worker would hold' })
      .getByText('further one')
      .first()
      .waitFor();

    await page.getByLabel('Reason').selectOption('never');
    await page.waitForURL(/reason=never/);
    await row.waitFor({ state: 'detached' });
    expect(await axeFaults(page)).toEqual([]);
    await page.getByLabel('Reason').selectOption('');
    await row.waitFor();
    expect(await phoneFaults(page)).toEqual([]);

    await cluster.call('POST', `/api/tasks/${filler}/cancel`, { force: true });
    await row.waitFor({ state: 'detached' });
    await cluster.call('POST', '/api/tasks/cancel', { task_ids: [giant, picky] });
    await page.getByText('Nothing waits', { exact: true }).waitFor();
  });
}
