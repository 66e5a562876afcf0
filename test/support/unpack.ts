// Archives unpacked by the programs people use, so that no library reads what its sibling wrote.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** @throws what tar or unzip said when it is not a whole archive */
export async function unpack(archive: string, format: 'tar.gz' | 'zip', into: string): Promise<void> {
  if (format === 'tar.gz') {
    await run('tar', ['-xzf', archive, '-C', into]);
    return;
  }
  // Debian has the second where the first is missing, as a part of the busybox that test images are made of.
  const [program, ...words] = onPath('unzip') ? ['unzip'] : ['busybox', 'unzip'];
  await run(program ?? '', [...words, '-q', '-o', archive, '-d', into]);
}

export interface UnpackedFile {
  readonly content: Buffer;
  readonly modifiedAt: number;
}

/** All files below a folder by their paths. */
export async function readTree(folder: string): Promise<Map<string, UnpackedFile>> {
  const files = new Map<string, UnpackedFile>();
  for (const path of (await readdir(folder, { recursive: true })).sort()) {
    const seen = await stat(join(folder, path));
    if (!seen.isFile()) continue;
    files.set(path, { content: await readFile(join(folder, path)), modifiedAt: seen.mtimeMs });
  }
  return files;
}

function onPath(program: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)));
}
