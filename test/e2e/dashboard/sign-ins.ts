// Somebody who is no admin: the password, how sign-ins end, and what is left of the pages for a viewer.

import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { LoginReply } from '../../../shared/contracts/http.ts';
import {
  axeFaults,
  type DashboardStage,
  onPhone,
  overflowPx,
  PASSWORD,
  phoneFaults,
  visit,
} from '../../support/dashboard-stage.ts';
import { TEST_IMAGE } from '../../support/servers.ts';

const NEW_PASSWORD = 'secure456';
/** What changes something beyond one's own account, by the words on it. */
const DEEDS =
  /^(cancel|run again|run with changes|submit|delete|upload|give up|remove|add the webhook|send it again|show the secret|make a new one|cordon|uncordon|drain|register)\b/i;

export function signIns(stage: () => DashboardStage): void {
  let page: Page;
  const signIn = async (password: string) => {
    await page.getByLabel('Username').fill('uma');
    await page.getByLabel('Password', { exact: true }).fill(password);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('button', { name: 'Sign out' }).first().waitFor();
  };

  beforeAll(async () => {
    page = await stage().open('uma');
    await page.goto(`${stage().cluster.url}/account?view=password`);
  });
  afterAll(() => page?.context().close());

  it('tells at its field that a password is wrong, and changes it', async () => {
    await page.getByLabel('Current password').fill('not-mine');
    await page.getByLabel('New password').fill(NEW_PASSWORD);
    await page.getByRole('button', { name: 'Change the password' }).click();
    await page.getByRole('alert').getByText('Is not your password').waitFor();
    await page.getByLabel('Current password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Change the password' }).click();
    await page.getByText('The password is changed').waitFor();
    // Still signed in, with a fresh token.
    await page.getByRole('link', { name: 'Profile' }).click();
    await page.getByText('User: sees own tasks and files').waitFor();
  });

  it('signs out everywhere after a question, and says what that means', async () => {
    const { cluster } = stage();
    const credentials = { username: 'uma', password: NEW_PASSWORD };
    const { body: other } = await cluster.call<LoginReply>('POST', '/api/auth/login', credentials);
    const statusOf = async (token: string) =>
      (await fetch(`${cluster.url}/api/auth/me`, { headers: { authorization: `Bearer ${token}` } })).status;
    await page.getByRole('link', { name: 'Sign-in', exact: true }).click();
    await page.getByRole('button', { name: 'Sign out everywhere' }).click();
    const question = page.getByRole('dialog');
    expect(await axeFaults(page)).toEqual([]);
    await question.getByRole('button', { name: 'Stay signed in' }).click();
    expect(await statusOf(other.token)).toBe(200);
    await page.getByRole('button', { name: 'Sign out everywhere' }).click();
    await question.getByLabel('Take back my API tokens, too').check();
    await question.getByRole('button', { name: 'Sign out everywhere' }).click();
    await page.getByText('You are signed out everywhere, and your API tokens are taken back').waitFor();
    expect(await statusOf(other.token)).toBe(401);
    expect(await page.evaluate<string | null>("sessionStorage.getItem('cloudai.token')")).toBeNull();
    await signIn(NEW_PASSWORD);
  });

  it('ends where it is when an admin signs the user out, who may sign in again', async () => {
    const admin = stage().page;
    // With a live connection it is heard at once.
    await visit(page, '/');
    await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
    await visit(admin, '/admin?edit=uma');
    await admin.getByRole('button', { name: 'Sign out everywhere' }).click();
    const question = admin.getByRole('dialog', { name: 'Sign out uma everywhere?' });
    await question.getByRole('button', { name: 'Sign out everywhere' }).click();
    await admin.getByText('uma is signed out everywhere. API tokens are still good.').waitFor();
    await admin.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('Your sign-in has ended').waitFor();
    await signIn(NEW_PASSWORD);
    await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
  });

  it('has neither the pages of admins nor the board of the queues for users', async () => {
    await onPhone(page, async () => {
      for (const address of ['/admin', '/audit']) {
        await visit(page, address);
        await page.getByText('This page is for admins').waitFor();
      }
    });
    await page.goto(`${stage().cluster.url}/queues`);
    await page.getByRole('heading', { name: 'The queue board is closed' }).waitFor();
  });

  it('takes what changes something from every page once the user is a viewer, who is refused nothing', async () => {
    const { cluster } = stage();
    const credentials = { username: 'uma', password: NEW_PASSWORD };
    const { body } = await cluster.call<LoginReply>('POST', '/api/auth/login', credentials);
    const own = (method: string, path: string, content: string, type = 'application/json') =>
      fetch(`${cluster.url}${path}`, {
        method,
        headers: { authorization: `Bearer ${body.token}`, 'content-type': type },
        body: content,
      });
    await own('PUT', '/api/files/notes.txt', 'kept', 'text/plain');
    const events = ['failed'];
    await own('POST', '/api/webhooks', JSON.stringify({ url: 'https://ci.example.com/hook', events }));
    const command = 'echo weights > /output/weights.txt; exit 3';
    const { task_id } = await cluster.submit({ docker_image: TEST_IMAGE, command, name: 'of-admin' });
    await cluster.ended(task_id);

    const refused: string[] = [];
    page.on('response', (response) => {
      if (response.status() === 403) refused.push(response.url());
    });
    await page.goto(`${cluster.url}/files`);
    await page.getByRole('button', { name: 'Delete notes.txt' }).waitFor();
    await cluster.call('PATCH', '/api/users/uma', { role: 'viewer' });
    // The page that is open hears of it.
    await page.getByRole('button', { name: 'Delete notes.txt' }).waitFor({ state: 'detached' });

    const pages: readonly (readonly [address: string, shown: string])[] = [
      ['/files', 'notes.txt'],
      ['/', 'Newest failures'],
      ['/tasks?q=of-admin', 'of-admin'],
      [`/tasks/${task_id}`, 'of-admin'],
      [`/tasks/${task_id}?view=files`, 'weights.txt'],
      ['/queue', 'Nothing waits'],
      ['/cluster', 'In use'],
      ['/submit', 'Tasks are submitted by others'],
      ['/account?view=tokens', 'No API tokens yet'],
      ['/account?view=webhooks', 'No webhook can be added'],
    ];
    for (const [address, shown] of pages) {
      await visit(page, address);
      await page.locator('main').getByText(shown).first().waitFor();
      const offered = await page
        .locator('main')
        .locator('button, a.button, input[type=file]')
        .evaluateAll((found) =>
          (found as unknown as { getAttribute(name: string): string | null; textContent: string }[]).map(
            (one) => one.getAttribute('aria-label') ?? one.textContent.trim(),
          ),
        );
      expect({ address, deeds: offered.filter((name) => DEEDS.test(name)) }).toEqual({ address, deeds: [] });
    }
    expect(await phoneFaults(page)).toEqual([]);
    await page.getByRole('link', { name: 'Workers', exact: true }).first().click();
    expect(await page.getByRole('link', { name: 'Submit a task' }).count()).toBe(0);
    expect(await overflowPx(page)).toBe(0);
    expect(refused).toEqual([]);
  });
}
