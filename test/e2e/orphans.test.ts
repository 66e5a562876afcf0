// What starts processes of a cluster may be killed: they must not stay behind and work on.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { tempDir, uniqueName } from '../support/servers.ts';
import { waitFor } from '../support/wait-for.ts';

const driver = resolve(import.meta.dirname, '../support/part-driver.ts');

function isThere(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

it('a process of a cluster ends when the test that started it was killed', async () => {
  const directory = await tempDir();
  onTestFinished(() => directory.remove());
  const args = ['--import', 'tsx', driver, directory.path, uniqueName('orphan')];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  const pid = Number(said.toString());
  expect(pid).toBeGreaterThan(1);
  onTestFinished(() => {
    if (isThere(pid)) process.kill(pid, 'SIGKILL');
  });
  const log = () => readFile(join(directory.path, 'scheduler.log'), 'utf8').catch(() => '');
  await waitFor(async () => (await log()).includes('scheduler is up'), {
    what: 'the scheduler',
    deadlineMs: 30_000,
  });
  expect(isThere(pid)).toBe(true);
  child.kill('SIGKILL');
  await waitFor(() => !isThere(pid), { what: 'the end of the scheduler', deadlineMs: 20_000 });
});
