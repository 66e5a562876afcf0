// Who this runner is across restarts: a random name in a file that only its owner reads. The machine that has it may
// take its worker id over from an earlier life; any other machine may not.

import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, messageOf } from '../shared/errors.ts';

const IDENTITY = /^[0-9a-f]{32}$/;

/** Where a runner keeps what is its own. */
export function runnerFolder(dataDir: string, workerId: string): string {
  return join(dataDir, `runner-${workerId}`);
}

/** Reads `<dataDir>/runner-<workerId>/identity`, or makes it. Throws `bad_config` when it can do neither. */
export async function loadIdentity(dataDir: string, workerId: string): Promise<string> {
  const directory = runnerFolder(dataDir, workerId);
  const path = join(directory, 'identity');
  try {
    const kept = await readKept(path);
    if (kept) return kept;
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const identity = randomBytes(16).toString('hex');
    const draft = `${path}.${randomBytes(4).toString('hex')}`;
    await writeFile(draft, `${identity}\n`, { mode: 0o600, flag: 'wx', flush: true });
    // Renaming is atomic: a crash leaves no half identity behind.
    await rename(draft, path);
    return (await readKept(path)) ?? identity;
  } catch (error) {
    throw new AppError(
      'bad_config',
      `the runner cannot keep its identity in ${path} (${messageOf(error)}): make DATA_DIR writable`,
      { cause: error },
    );
  }
}

async function readKept(path: string): Promise<string | null> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const name = text.trim();
  return IDENTITY.test(name) ? name : null;
}
