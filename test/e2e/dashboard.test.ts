// The dashboard as a person uses it: a real browser against the real system.

import { readFile } from 'node:fs/promises';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, freePort, startCluster } from '../support/cluster.ts';
import { TEST_IMAGE } from '../support/servers.ts';

let cluster: Cluster;
let browser: Browser;
let page: Page;
const faults: string[] = [];

beforeAll(async () => {
  cluster = await startCluster({ env: { CLUSTER_TOKEN: 'the-token-of-this-cluster-'.repeat(2) } });
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  page = await browser.newPage();
  page.setDefaultTimeout(15_000);
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (message) => {
    if (/content security policy/i.test(message.text())) faults.push(message.text());
  });
  page.on('request', (request) => {
    if (!request.url().startsWith(cluster.url)) faults.push(`request to ${request.url()}`);
  });
});
afterAll(async () => {
  await browser?.close();
  await cluster?.stop();
});

/** Fills the form for a task with `command` and sends it; the page of the task is open afterwards. */
async function submit(command: string): Promise<void> {
  await page.goto(`${cluster.url}/submit`);
  await page.getByRole('textbox', { name: 'Image' }).fill(TEST_IMAGE);
  await page.getByLabel('Command', { exact: true }).fill(command);
  await page.getByLabel('Cores').fill('0.5');
  await page.getByLabel('Memory (MB)').fill('64');
  await page.getByRole('button', { name: 'Submit' }).click();
  await page.waitForURL(/\/tasks\/task-/);
}

describe('the dashboard', () => {
  it('lets a new user make an account and signs them in', async () => {
    await page.goto(cluster.url);
    await page.getByRole('button', { name: 'Create one' }).click();
    await page.getByLabel('Username').fill('alice');
    await page.getByLabel('Password').fill('secure123');
    await page.locator('button.primary').click();
    await page.getByRole('heading', { name: 'Overview' }).waitFor();
  });

  it('registers a machine, says what is wrong with its address, and shows that it does not answer', async () => {
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

  it('submits a task and shows its output and result', async () => {
    await submit('echo hello from the dashboard');
    await page.getByRole('log').getByText('hello from the dashboard').waitFor();
    await page.locator('state-badge', { hasText: 'completed' }).first().waitFor();
  });

  it('lists it', async () => {
    await page.goto(`${cluster.url}/tasks`);
    await page.getByText(TEST_IMAGE).first().waitFor();
  });

  it('cancels a running task', async () => {
    await submit('echo up; sleep 600');
    await page.getByRole('log').getByText('up').waitFor();
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await page.getByLabel('Kill it at once').check();
    await page.getByRole('button', { name: 'Cancel the task' }).click();
    await page.locator('state-badge', { hasText: 'cancelled' }).first().waitFor();
  });

  it('shows how far a task is, and its unfinished line', async () => {
    await submit('echo "::progress 42 half way"; printf "almost there"; sleep 600');
    await page.getByText('half way').waitFor();
    await page.getByText('42%').waitFor();
    await page.getByText('almost there').last().waitFor();
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    await page.getByLabel('Kill it at once').check();
    await page.getByRole('button', { name: 'Cancel the task' }).click();
    await page.locator('state-badge', { hasText: 'cancelled' }).first().waitFor();
  });

  it('lists the files a task left and saves one', async () => {
    await submit('mkdir /output/model; echo weights > /output/model/weights.txt');
    await page.locator('state-badge', { hasText: 'completed' }).first().waitFor();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Save model/weights.txt' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('weights.txt');
    expect(await readFile(await download.path(), 'utf8')).toBe('weights\n');
  });

  it('goes on by itself when the API was away', async () => {
    await submit('echo first; sleep 4; echo second; sleep 600');
    await page.getByRole('log').getByText('first').waitFor();
    await cluster.api.end('SIGKILL');
    cluster.api.start();
    await page.getByRole('log').getByText('second').waitFor();
    expect(await page.getByRole('log').getByText('first').count()).toBe(1);
  });

  it('says why a task waits that fits nowhere', async () => {
    const { body } = await cluster.call<{ token: string }>('POST', '/api/auth/login', {
      username: 'alice',
      password: 'secure123',
    });
    cluster.token = body.token;
    const { task_id } = await cluster.submit({ docker_image: TEST_IMAGE, cpu_required: 4_000 });
    await page.goto(`${cluster.url}/tasks/${task_id}`);
    await page
      .getByText(/4,?000 cores/)
      .first()
      .waitFor();
  });

  it('met no fault, no breach of its content policy, no request to elsewhere', () => {
    expect(faults).toEqual([]);
  });
});
