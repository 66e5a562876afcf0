// The page of all files: uploads through the browser, and back.

import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { axeFaults, type DashboardStage, phoneFaults, visit } from '../../support/dashboard-stage.ts';

export function filesPage(stage: () => DashboardStage): void {
  it('uploads files into a folder, in pieces, and saves one again', async () => {
    const { page } = stage();
    // More than one piece.
    const large = randomBytes(5 * 1_048_576);
    await visit(page, '/files');
    await page.getByLabel('Into the folder').fill('/data/');
    await page.getByLabel('Files to upload').setInputFiles([
      { name: 'large.bin', mimeType: 'application/octet-stream', buffer: large },
      { name: 'table.csv', mimeType: 'text/csv', buffer: Buffer.from('name,score\nada,9\n') },
      { name: 'empty.txt', mimeType: 'text/plain', buffer: Buffer.alloc(0) },
    ]);
    await page.getByRole('link', { name: 'data/large.bin' }).waitFor();
    await page.getByRole('link', { name: 'data/empty.txt' }).waitFor();
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('button', { name: 'Save data/large.bin' }).click(),
    ]);
    expect(download.suggestedFilename()).toBe('large.bin');
    expect(large.equals(await readFile(await download.path()))).toBe(true);
    expect(await axeFaults(page)).toEqual([]);
    expect(await phoneFaults(page)).toEqual([]);
  });

  it('finds, shows and deletes them, and asks before one is replaced', async () => {
    const { page } = stage();
    await page.getByLabel('Search files').fill('data/table');
    await page.getByRole('link', { name: 'data/large.bin' }).waitFor({ state: 'detached' });
    await page.getByRole('link', { name: 'data/table.csv' }).click();
    await page.getByRole('dialog').getByText('ada').waitFor();
    expect(page.url()).toContain('file=data%2Ftable.csv');
    await page.getByRole('button', { name: 'Close' }).click();
    await page.getByLabel('Into the folder').fill('data');
    await page
      .getByLabel('Files to upload')
      .setInputFiles([{ name: 'table.csv', mimeType: 'text/csv', buffer: Buffer.from('name,score\n') }]);
    await page.getByRole('heading', { name: 'Replace data/table.csv?' }).waitFor();
    await page.getByRole('button', { name: 'Keep it' }).click();
    await page.getByRole('button', { name: 'Delete data/table.csv' }).click();
    await page.getByRole('button', { name: 'Delete it' }).click();
    await page.getByText('No file matches').waitFor();
  });

  it('goes on with what was begun before a reload, with the same file only', async () => {
    const { cluster, page } = stage();
    const bytes = randomBytes(3_000);
    const begun = await fetch(`${cluster.url}/api/uploads`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${cluster.token}`,
        'tus-resumable': '1.0.0',
        'upload-length': '3000',
        'upload-metadata': `path ${Buffer.from('half.bin').toString('base64')}`,
      },
    });
    expect(begun.status).toBe(201);
    await page.goto(`${cluster.url}/files`);
    await page.getByText('begun earlier').waitFor();
    const again = page.getByLabel('The file of half.bin');
    await again.setInputFiles([{ name: 'half.bin', mimeType: 'text/plain', buffer: Buffer.from('other') }]);
    await page.getByRole('alert').getByText('it has 5 bytes, not 3000').waitFor();
    await again.setInputFiles([{ name: 'half.bin', mimeType: 'text/plain', buffer: bytes }]);
    await page.getByRole('link', { name: 'half.bin' }).waitFor();
  });
}
