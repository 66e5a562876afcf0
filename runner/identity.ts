// Who this runner is across restarts: a random name in a file that only its owner reads. The machine that has it may
// take its worker id over from an earlier life; any other machine may not.

import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, messageOf } from '../shared/errors.ts';
import { writePrivateFile } from '../shared/platform/private-file.ts';

const IDENTITY = /^[0-9a-f]{32}$/;

/** Where a runner keeps what is its own. */
export function runnerFolder(dataDir: string, workerId: string): string {
  return join(dataDir, `runner-${workerId}`);
}

/** Reads `<dataDir>/runner-<workerId>/identity`, or makes it. Throws `bad_config` when it can do neither. */
export async function loadIdentity(dataDir: string, workerId: string): Promise<string> {
  const path = join(runnerFolder(dataDir, workerId), 'identity');
  try {
    const kept = await readKept(path);
    if (kept) return kept;
    const identity = randomBytes(16).toString('hex');
    await writePrivateFile(path, `${identity}\n`);
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
