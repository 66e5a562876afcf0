// The pages of the workers.

import { it } from 'vitest';
import { freePort } from '../../support/cluster.ts';
import type { DashboardStage } from '../../support/dashboard-stage.ts';

export function workersPages(stage: () => DashboardStage): void {
  it('registers a machine, says what is wrong with its address, and shows that it does not answer', async () => {
    const { cluster, page } = stage();
    await page.goto(`${cluster.url}/cluster`);
    await page.getByText('Register a machine').click();
    await page.getByLabel('Name').fill('worker-3');
    await page.getByLabel('Address').fill('http://10.0.0.3');
    await page.getByRole('button', { name: 'Register' }).click();
    await page.getByText('must be a host and a port').waitFor();
    await page.getByLabel('Address').fill(`127.0.0.1:${await freePort()}`);
    await page.getByRole('button', { name: 'Register' }).click();
    await page.getByRole('status').getByText('worker-3 is unreachable: nobody answers').waitFor();
    await page.locator('state-badge', { hasText: 'unreachable' }).waitFor();
    await page.getByRole('table').getByText('the connection was refused').waitFor();
  });
}
