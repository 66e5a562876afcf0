// Before a database is brought up to a newer layout, a copy of it is kept beside it, so that the release of before can be
// gone back to. One copy for each such step; none of a large database, for a start must not take minutes.

import { link, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { makeCopyFolder } from './copy-folder.ts';
import { copyInto } from './copy-into.ts';
import { onThread } from './database-thread.ts';
import { asFileFault } from './errors.ts';

/** Some ten seconds. */
const LARGEST_BYTES = 2 ** 30;

export function upgradeCopyPath(database: string, to: number): string {
  return `${database}.before-v${to}`;
}

/** Of several processes that start at once one's copy stays. Throws AppError. */
export async function keepUpgradeCopy(database: string, to: number): Promise<void> {
  const path = upgradeCopyPath(database, to);
  try {
    if ((await stat(database)).size > LARGEST_BYTES || (await stat(path).catch(() => null))) return;
    const folder = await makeCopyFolder(database);
    try {
      const copy = join(folder.path, 'before.db');
      await copyInto(database, copy);
      const [row] = await onThread(copy, (db) =>
        db.all<{ version: number }>('SELECT version FROM schema_version'),
      );
      // Another process was faster.
      if (row && row.version < to) await link(copy, path).catch(ignoreExisting);
      await rm(copy, { force: true });
    } finally {
      await folder.remove();
    }
  } catch (error) {
    throw asFileFault(error, database);
  }
}

function ignoreExisting(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
}
