// The page of one's own account.

import { expect, it } from 'vitest';
import {
  axeFaults,
  type DashboardStage,
  onPhone,
  overflowPx,
  phoneFaults,
  visit,
} from '../../support/dashboard-stage.ts';

export function accountPage(stage: () => DashboardStage): void {
  it('makes an API token that works, shows it once and takes it back', async () => {
    const { cluster, page } = stage();
    await visit(page, '/account');
    await page.getByText('Admin: sees and manages everything').waitFor();
    await onPhone(page, () => expect.poll(() => overflowPx(page)).toBe(0));
    await page.getByRole('link', { name: 'API tokens' }).click();
    await page.getByLabel('What it is for').fill('nightly build');
    await page.getByRole('button', { name: 'Create a token' }).click();
    const token = await page.locator('api-tokens code').textContent();
    const headers = { authorization: `Bearer ${token}` };
    const me = await fetch(`${cluster.url}/api/auth/me`, { headers });
    expect(await me.json()).toMatchObject({ username: 'admin' });
    await page.getByRole('button', { name: 'I have it' }).click();
    await page.locator('api-tokens code').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Take back nightly build' }).click();
    await page.getByRole('button', { name: 'Take it back' }).click();
    await page.getByText('No API tokens yet').waitFor();
    await onPhone(page, () => expect.poll(() => overflowPx(page)).toBe(0));
    expect((await fetch(`${cluster.url}/api/auth/me`, { headers })).status).toBe(401);
  });

  it('adds a webhook and says what is wrong with an address', async () => {
    const { page } = stage();
    await visit(page, '/account?view=webhooks');
    await page.getByLabel('Address', { exact: true }).fill('http://127.0.0.1:9/hook');
    await page.getByRole('button', { name: 'Add the webhook' }).click();
    await page.getByRole('alert').getByText('loopback').waitFor();
    await page.getByLabel('Address', { exact: true }).fill('https://ci.example.com/hook');
    await page.getByLabel('running').check();
    await page.getByRole('button', { name: 'Add the webhook' }).click();
    await page.getByRole('table').getByText('https://ci.example.com/hook').waitFor();
    expect(await axeFaults(page)).toEqual([]);
    expect(await phoneFaults(page)).toEqual([]);
    await page.getByRole('button', { name: 'Remove https://ci.example.com/hook' }).click();
    await page.getByRole('button', { name: 'Remove it' }).click();
    await page.getByRole('table').waitFor({ state: 'detached' });
  });
}
