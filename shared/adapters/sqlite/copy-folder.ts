// A folder beside the database for one copy that is being made or taken in. Only its owner can read it, and it goes when it
// is not needed any more; one whose process died goes when another looks, which sees by its time that nobody is at it.

import { mkdtemp, readdir, rm, stat, utimes } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

const ALIVE_EVERY_MS = 30_000;
/** Clocks of processes on one machine are one. */
const DEAD_AFTER_MS = 10 * 60_000;

export interface CopyFolder {
  readonly path: string;
  remove(): Promise<void>;
}

export async function makeCopyFolder(database: string): Promise<CopyFolder> {
  await clearLeftCopies(database);
  const path = await mkdtemp(`${database}.copy-`);
  const alive = setInterval(
    () => void utimes(path, new Date(), new Date()).catch(() => undefined),
    ALIVE_EVERY_MS,
  );
  alive.unref();
  return {
    path,
    remove: async () => {
      clearInterval(alive);
      await rm(path, { recursive: true, force: true });
    },
  };
}

/** Removes what processes that died have left. Never rejects. */
export async function clearLeftCopies(database: string, deadAfterMs = DEAD_AFTER_MS): Promise<void> {
  const folder = dirname(database);
  const start = `${basename(database)}.copy-`;
  for (const name of await readdir(folder).catch(() => [])) {
    if (!name.startsWith(start)) continue;
    const path = join(folder, name);
    const found = await stat(path).catch(() => null);
    if (!found || Date.now() - found.mtimeMs < deadAfterMs) continue;
    await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}
