// The page of one's own account.

import { expect, it } from 'vitest';
import { axeFaults, type DashboardStage, overflowPx } from '../../support/dashboard-stage.ts';

export function accountPage(stage: () => DashboardStage): void {
  it('makes an API token that works, shows it once and takes it back', async () => {
    const { cluster, page } = stage();
    await page.goto(`${cluster.url}/account`);
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
    expect((await fetch(`${cluster.url}/api/auth/me`, { headers })).status).toBe(401);
  });

  it('tells at its field that a password is wrong, and changes it', async () => {
    const { cluster, open } = stage();
    const page = await open('pia');
    await page.goto(`${cluster.url}/account?view=password`);
    await page.getByLabel('Current password').fill('not-mine');
    await page.getByLabel('New password').fill('secure456');
    await page.getByRole('button', { name: 'Change the password' }).click();
    await page.getByRole('alert').getByText('Is not your password').waitFor();
    await page.getByLabel('Current password').fill('secure123');
    await page.getByRole('button', { name: 'Change the password' }).click();
    await page.getByText('The password is changed').waitFor();
    // Still signed in, with a fresh token.
    await page.getByRole('link', { name: 'Profile' }).click();
    await page.getByText('User: sees own tasks and files').waitFor();
    await page.context().close();
  });

  it('adds a webhook and says what is wrong with an address', async () => {
    const { cluster, page } = stage();
    await page.goto(`${cluster.url}/account?view=webhooks`);
    await page.getByLabel('Address', { exact: true }).fill('http://127.0.0.1:9/hook');
    await page.getByRole('button', { name: 'Add the webhook' }).click();
    await page.getByRole('alert').getByText('loopback').waitFor();
    await page.getByLabel('Address', { exact: true }).fill('https://ci.example.com/hook');
    await page.getByLabel('running').check();
    await page.getByRole('button', { name: 'Add the webhook' }).click();
    await page.getByRole('table').getByText('https://ci.example.com/hook').waitFor();
    expect(await axeFaults(page)).toEqual([]);
    await page.getByRole('button', { name: 'Remove https://ci.example.com/hook' }).click();
    await page.getByRole('button', { name: 'Remove it' }).click();
    await page.getByRole('table').waitFor({ state: 'detached' });
  });

  it('fits a phone, in the dark', async () => {
    const { cluster, open } = stage();
    const page = await open('admin', { viewport: { width: 360, height: 740 }, colorScheme: 'dark' });
    for (const [tab, text] of [
      ['profile', 'Admin: sees and manages everything'],
      ['tokens', 'No API tokens yet'],
      ['webhooks', 'Nothing was sent yet'],
    ]) {
      await page.goto(`${cluster.url}/account?view=${tab}`);
      await page.getByText(text ?? '').waitFor();
      expect(await overflowPx(page)).toBe(0);
    }
    expect(await axeFaults(page)).toEqual([]);
    await page.context().close();
  });
}
