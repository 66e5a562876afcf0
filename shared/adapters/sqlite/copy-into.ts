// The database as it stands at this moment, in a new file that only its owner can read. Blocks nobody.

import { open, rm } from 'node:fs/promises';
import { onThread, quoted } from './database-thread.ts';

/** Leaves nothing behind when it fails. Throws AppError, or what the disk says. */
export async function copyInto(from: string, to: string): Promise<void> {
  await (await open(to, 'wx', 0o600)).close();
  try {
    await onThread(from, (db) => db.exec(`VACUUM INTO ${quoted(to)}`));
  } catch (error) {
    await rm(to, { force: true });
    throw error;
  }
}
