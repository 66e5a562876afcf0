// Files in their folders, for a list that people read. Pure.

import type { FileBody } from '../../../shared/contracts/files.ts';

export interface Folder {
  /** Without a slash at its end; empty for the top. */
  readonly path: string;
  /** In order of name. */
  readonly files: readonly FileBody[];
  readonly bytes: number;
}

/** The top first, then by path; no folder without files of its own. */
export function foldersOf(files: readonly FileBody[]): Folder[] {
  const folders = new Map<string, FileBody[]>();
  for (const file of files) {
    const path = file.path.slice(0, Math.max(0, file.path.lastIndexOf('/')));
    const known = folders.get(path);
    if (known) known.push(file);
    else folders.set(path, [file]);
  }
  return [...folders]
    .map(([path, inside]) => ({
      path,
      files: inside.toSorted((one, other) => compare(one.path, other.path)),
      bytes: inside.reduce((sum, { size_bytes }) => sum + size_bytes, 0),
    }))
    .sort((one, other) => compare(one.path, other.path));
}

/** Those that hold each word somewhere in their path. */
export function findFiles(files: readonly FileBody[], text: string): readonly FileBody[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return files;
  return files.filter(({ path }) => words.every((word) => path.toLowerCase().includes(word)));
}

/** `epoch-2` before `epoch-10`. */
const { compare } = new Intl.Collator('en', { numeric: true, sensitivity: 'variant' });
