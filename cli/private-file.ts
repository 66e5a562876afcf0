// Files of the command line that only their owner may read.

import { chmod, mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Replaces the file in one step, mode 0600 from its first byte on. @throws what the disk says */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}.tmp`;
  await writeFile(draft, text, { mode: 0o600 });
  // A draft left by an earlier crash keeps its old mode.
  await chmod(draft, 0o600);
  await rename(draft, path);
}
