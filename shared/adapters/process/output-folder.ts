// What a program left in its output folder. Follows no link, opens nothing but files, and leaves nothing out: what
// cannot be read is reported as `other`.

import { once } from 'node:events';
import { constants, createReadStream, type Stats } from 'node:fs';
import { lstat, open, readdir } from 'node:fs/promises';
import { Readable } from 'node:stream';
import type { OutputEntry } from '../../ports/container-runtime.ts';

const SEPARATOR = Buffer.from('/');

/** Paths are relative to `root`. Throws only for a root that is there and cannot be read. */
export async function* outputEntries(root: string, signal?: AbortSignal): AsyncGenerator<OutputEntry> {
  /** The first name of every file that has several. */
  const linked = new Map<string, string>();
  // Names are bytes: what is no UTF-8 could not be opened by its text.
  const folders: Buffer[] = [Buffer.alloc(0)];
  for (let folder = folders.pop(); folder; folder = folders.pop()) {
    for (const name of await namesIn(root, folder)) {
      if (signal?.aborted) return;
      const path = folder.length === 0 ? name : Buffer.concat([folder, SEPARATOR, name]);
      const found = await lstat(within(root, path)).catch(() => null);
      if (!found) continue;
      if (found.isDirectory()) folders.push(path);
      const entry = await entryOf(root, path, found, linked);
      try {
        yield entry;
        // As with an archive: the next one comes when this one was read.
        if (entry.sizeBytes > 0 && !entry.content.closed) await once(entry.content, 'close');
      } finally {
        entry.content.destroy();
      }
    }
  }
}

async function namesIn(root: string, folder: Buffer): Promise<Buffer[]> {
  try {
    return await readdir(within(root, folder), { encoding: 'buffer' });
  } catch (error) {
    const isRoot = folder.length === 0;
    if (!isRoot || (error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

async function entryOf(
  root: string,
  path: Buffer,
  found: Stats,
  linked: Map<string, string>,
): Promise<OutputEntry> {
  const text = path.toString();
  const plain = { path: text, target: null, sizeBytes: 0, content: Readable.from([]) };
  if (!Buffer.from(text).equals(path)) return { ...plain, type: 'other' };
  if (found.isDirectory()) return { ...plain, type: 'directory' };
  if (found.isSymbolicLink()) return { ...plain, type: 'symlink' };
  if (!found.isFile()) return { ...plain, type: 'other' };
  if (found.nlink > 1) {
    const id = `${found.dev}:${found.ino}`;
    const target = linked.get(id);
    if (target !== undefined) return { ...plain, type: 'hardlink', target };
    linked.set(id, text);
  }
  const content = await contentOf(within(root, path), found.size);
  return content ? { ...plain, type: 'file', sizeBytes: found.size, content } : { ...plain, type: 'other' };
}

/** At most `size` bytes: somebody may still write to it. Null when it cannot be opened. */
async function contentOf(path: Buffer, size: number): Promise<Readable | null> {
  if (size === 0) return Readable.from([]);
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
  const file = await open(path, flags).catch(() => null);
  if (!file) return null;
  const content = createReadStream('', { fd: file, end: size - 1 });
  // Its fault is told to whoever reads it, if anybody does.
  content.on('error', () => undefined);
  return content;
}

function within(root: string, path: Buffer): Buffer {
  return path.length === 0 ? Buffer.from(root) : Buffer.concat([Buffer.from(root), SEPARATOR, path]);
}
