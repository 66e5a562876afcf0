// Files and folders of this machine that begin like a path that is being typed. Reads one folder, never below it.

import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Candidate } from './complete.ts';

/** Of a folder with more, the rest is not offered. */
const MOST = 1_000;

/** A folder ends in `/` and may be gone into, so it is not done. Hidden names only when a dot was typed. */
export async function localFiles(
  typed: string,
  kind: 'file' | 'folder',
  home: string | undefined,
): Promise<Candidate[]> {
  const slash = typed.lastIndexOf('/') + 1;
  const folder = typed.slice(0, slash);
  const name = typed.slice(slash);
  // A shell would put the home folder in its place, and completes with it still written so.
  const real = home !== undefined && /^~\//.test(folder) ? join(home, folder.slice(2)) : folder || '.';
  const entries = await readdir(real, { withFileTypes: true });
  const fitting = entries
    .filter((entry) => entry.name.startsWith(name) && (name.startsWith('.') || !entry.name.startsWith('.')))
    .sort((one, other) => (one.name < other.name ? -1 : 1))
    .slice(0, MOST);
  const found: Candidate[] = [];
  for (const entry of fitting) {
    const path = `${folder}${entry.name}`;
    if (await isFolder(entry, join(real, entry.name)))
      found.push({ value: `${path}/`, what: '', done: false });
    else if (kind === 'file') found.push({ value: path, what: '', done: true });
  }
  return found;
}

async function isFolder(entry: Dirent, path: string): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
