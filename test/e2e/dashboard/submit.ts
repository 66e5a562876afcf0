// The form for a new task, as a person fills it in.

import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import { MASKED } from '../../../shared/contracts/http.ts';
import { axeFaults, type DashboardStage, phoneFaults } from '../../support/dashboard-stage.ts';
import { TEST_IMAGE } from '../../support/servers.ts';

/** Of the element that has the focus, through all shadow roots. */
const focused = (page: Page, of: 'id' | 'value' | 'ariaLabel') =>
  page.evaluate<string>(
    `(() => { let e = document.activeElement; while (e?.shadowRoot?.activeElement) e = e.shadowRoot.activeElement; return e?.${of} ?? ''; })()`,
  );

export function submitPage(stage: () => DashboardStage): void {
  const open = async (query = '') => {
    const { cluster, page } = stage();
    await page.goto(`${cluster.url}/submit${query}`);
    await page.getByRole('heading', { name: 'Submit a task', level: 1 }).waitFor();
    return page;
  };
  const image = (page: Page) => page.getByRole('combobox', { name: 'Image' });
  const taskOf = async (page: Page) => {
    await page.waitForURL(/\/tasks\/task-/);
    const { body } = await stage().cluster.call<Record<string, unknown>>(
      'GET',
      `/api${new URL(page.url()).pathname}`,
    );
    return body;
  };

  it('says while it is filled in what would become of the task, and what to change', async () => {
    const page = await open();
    await page.getByText('Name an image').first().waitFor();
    await image(page).fill(TEST_IMAGE);
    // Small: other tests leave tasks behind that run on.
    await page.getByLabel('Cores').fill('0.1');
    await page.getByLabel('Memory', { exact: true }).fill('16');
    await page.getByText('Fits now on').waitFor();
    await page.getByLabel('Cores').fill('4000');
    await page.getByText('Never fits as it is').waitFor();
    await page.getByText('No worker of the cluster is large enough').waitFor();
    await page.getByRole('button', { name: /^Lower cores to/ }).click();
    await page.getByText('Never fits as it is').waitFor({ state: 'hidden' });
    expect(Number(await page.getByLabel('Cores').inputValue())).toBeLessThan(4_000);
    await page.getByLabel('Cores').fill('0.1');
    await page.getByText('Fits now on').waitFor();
    await page.getByLabel('Copies').fill('900');
    await page.getByText(/of 900 fit now/).waitFor();
    await page.getByRole('button', { name: 'Submit 900 tasks' }).waitFor();
    expect(await axeFaults(page)).toEqual([]);
  });

  it('suggests images by keyboard, and says where they are', async () => {
    const page = await open();
    const field = image(page);
    await field.focus();
    await page.keyboard.type('busy');
    const option = page.getByRole('option', { name: TEST_IMAGE });
    await option.waitFor();
    await page.keyboard.press('Escape');
    await option.waitFor({ state: 'hidden' });
    expect(await field.inputValue()).toBe('busy');
    await page.keyboard.press('ArrowDown');
    await page.getByRole('option', { name: TEST_IMAGE, selected: true }).waitFor();
    await page.keyboard.press('Enter');
    expect(await field.inputValue()).toBe(TEST_IMAGE);
    expect(await field.getAttribute('aria-expanded')).toBe('false');
    await page.getByText(/^Present on /).waitFor();
  });

  it('demands labels of the worker, suggested from those there are, and keeps them for the next run', async () => {
    const page = await open(
      `?image=${TEST_IMAGE}&command=true&cpu_required=0.1&memory_required=16&prefer=zone%3Da`,
    );
    await page.getByText('1 of 1 worker has all of it.').waitFor();
    await page.getByRole('button', { name: 'Add a label: must have labels' }).click();
    await page.keyboard.type('di');
    await page.getByRole('option', { name: /^disk/ }).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    const values = page.getByRole('combobox', { name: 'Values of disk' });
    await page.getByRole('button', { name: 'Submit', exact: true }).click();
    await page.getByText('Say which values of disk will do').first().waitFor();
    expect(await values.getAttribute('aria-invalid')).toBe('true');
    await expect.poll(() => focused(page, 'ariaLabel')).not.toBe('Submit');
    await values.fill('tape');
    await page.getByText('The one worker there is has not.').waitFor();
    await page.getByText('Never fits as it is').waitFor();
    await values.fill('tape, ');
    await page.getByRole('option', { name: /^tape, ssd/ }).click();
    await page.getByText('Fits now on').waitFor();
    expect(await axeFaults(page)).toEqual([]);
    await page.getByRole('button', { name: 'Submit', exact: true }).click();
    expect(await taskOf(page)).toMatchObject({
      constraints: { disk: ['tape', 'ssd'] },
      prefer: { zone: 'a' },
      status: expect.not.stringMatching('failed'),
    });
    await page.getByRole('link', { name: 'Spec' }).click();
    await page.getByText('disk=tape or ssd').waitFor();
    await page.getByRole('link', { name: 'Run with changes' }).click();
    await expect.poll(() => values.inputValue()).toBe('tape, ssd');
  });

  it('runs a program word by word, and hides a secret, by keyboard alone', async () => {
    const page = await open();
    await image(page).focus();
    await page.keyboard.type(TEST_IMAGE);
    await page.keyboard.press('Escape');
    await page.keyboard.press('Tab');
    await page.keyboard.press('ArrowRight');
    await page.getByLabel('Program and arguments').waitFor();
    await page.keyboard.press('Tab');
    for (const word of ['printf', '%s|%s', 'a b']) {
      await page.keyboard.type(word);
      await page.keyboard.press('Enter');
    }
    await page.keyboard.type('$HOME');
    await page.getByText(`printf '%s|%s' 'a b' '$HOME'`).first().waitFor();
    const add = page.getByRole('button', { name: 'Add a variable' });
    await add.focus();
    await page.keyboard.press('Enter');
    await page.keyboard.type('DB_PASSWORD');
    await page.keyboard.press('Tab');
    await page.keyboard.type('hunter2');
    expect(await page.getByLabel('Value of DB_PASSWORD').getAttribute('type')).toBe('password');
    expect(await page.getByLabel('DB_PASSWORD is secret').isChecked()).toBe(true);
    await page.keyboard.press('Control+Enter');
    expect(await taskOf(page)).toMatchObject({
      command: ['printf', '%s|%s', 'a b', '$HOME'],
      env: { DB_PASSWORD: MASKED },
      secrets: ['DB_PASSWORD'],
    });
    await page.getByRole('log').getByText('a b|$HOME').waitFor();
    expect(await page.getByText('hunter2').count()).toBe(0);
  });

  it('keeps a form under a name, without its secrets', async () => {
    const page = await open(
      `?image=${TEST_IMAGE}&command=true&cpu_required=0.5&env=API_KEY%3Dhunter2&secret=API_KEY`,
    );
    await page.getByRole('button', { name: 'Presets' }).click();
    await page.getByLabel('Keep this form as').fill('nightly');
    await page.getByRole('button', { name: 'Keep', exact: true }).click();
    await page.getByText('“nightly” is kept').waitFor();
    expect(await page.evaluate<string>('JSON.stringify({ ...localStorage })')).not.toContain('hunter2');
    await open();
    expect(await image(page).inputValue()).toBe('');
    await page.getByRole('button', { name: 'Presets' }).click();
    await page.getByRole('button', { name: 'Load nightly' }).click();
    expect(await image(page).inputValue()).toBe(TEST_IMAGE);
    expect(await page.getByLabel('Cores').inputValue()).toBe('0.5');
    await page.getByText('type the value of API_KEY again').first().waitFor();
    await page.getByRole('button', { name: 'Submit' }).click();
    await page.getByText('Type the value of API_KEY again: secrets').waitFor();
    await expect.poll(() => focused(page, 'ariaLabel')).toBe('Value of API_KEY');
    await page.getByRole('button', { name: 'Delete nightly' }).click();
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByText('“nightly” is deleted').waitFor();
  });

  it('shows all faults at their fields, unfolds them, and goes to the first', async () => {
    const page = await open('?image=BAD+IMAGE');
    await page.getByText('Where and when').click();
    await page.getByLabel('Priority').fill('77');
    await page.getByText('Where and when').click();
    await page.getByRole('button', { name: 'Submit' }).click();
    await expect.poll(() => focused(page, 'value')).toBe('BAD IMAGE');
    await page.getByText('must be an image reference').first().waitFor();
    const priority = page.getByLabel('Priority');
    await priority.waitFor();
    expect(await priority.getAttribute('aria-invalid')).toBe('true');
    await priority.fill('7');
    expect(await priority.getAttribute('aria-invalid')).toBe('false');
    expect(page.url()).toContain('/submit');
  });

  it('starts from another task, and submits many', async () => {
    const { cluster } = stage();
    const { task_id } = await cluster.submit({
      docker_image: TEST_IMAGE,
      command: 'true',
      tag: 'again',
      cpu_required: 0.1,
      memory_required: 64,
    });
    const page = await open(`?from=${task_id}`);
    await page.getByText(`Filled in from ${task_id}`).waitFor();
    expect(await page.getByLabel('Command', { exact: true }).inputValue()).toBe('true');
    await page.getByLabel('Copies').fill('3');
    await page.getByRole('button', { name: 'Submit 3 tasks' }).click();
    await page.waitForURL('**/tasks?tag=again');
    const { body } = await cluster.call<{ tasks: unknown[] }>('GET', '/api/tasks?tag=again');
    expect(body.tasks).toHaveLength(4);
  });

  it('makes no second task of a click whose answer was lost', async () => {
    const { cluster } = stage();
    const page = await open(`?image=${TEST_IMAGE}&command=true&tag=once`);
    let lost = 0;
    await page.route('**/api/tasks', async (route) => {
      if (route.request().method() !== 'POST' || lost > 0) return route.continue();
      lost += 1;
      await route.fetch();
      await route.abort();
    });
    await page.getByRole('button', { name: 'Submit' }).click();
    await page.getByText('The API cannot be reached').waitFor();
    await page.getByRole('button', { name: 'Submit' }).click();
    await taskOf(page);
    await page.unroute('**/api/tasks');
    const { body } = await cluster.call<{ tasks: unknown[] }>('GET', '/api/tasks?tag=once');
    expect([lost, body.tasks.length]).toEqual([1, 1]);
  });

  it('fits a telephone in the dark, also with what is long', async () => {
    const words = ['arg=a', `arg=${'x'.repeat(300)}`, 'env=LONG_NAME_OF_A_VARIABLE%3D1', 'priority=9'];
    const page = await open(`?image=${'long/'.repeat(20)}name&worker=nobody&${words.join('&')}`);
    await page.getByText('Never fits as it is').waitFor();
    await page.getByRole('button', { name: 'Presets' }).click();
    expect(await phoneFaults(page)).toEqual([]);
  });
}
