// The documents of the project as files: which there are, and which of their commands are run by whom.

import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Fenced, fencedBlocks } from './markdown.ts';

const root = resolve(import.meta.dirname, '../..');

export function readDocument(path: string): string {
  return readFileSync(resolve(root, path), 'utf8');
}

/** Those for users: README.md and docs/*.md, by their paths from the root. */
export function userDocuments(): string[] {
  return ['README.md', ...filesBelow('docs', { depth: 1 }).filter((path) => path.endsWith('.md'))];
}

/** All files of a folder, by their paths from the root. */
export function filesBelow(folder: string, { depth = Number.POSITIVE_INFINITY } = {}): string[] {
  return readdirSync(resolve(root, folder), { withFileTypes: true })
    .flatMap((entry) => {
      const path = `${folder}/${entry.name}`;
      if (!entry.isDirectory()) return [path];
      return depth > 1 ? filesBelow(path, { depth: depth - 1 }) : [];
    })
    .sort();
}

/** Typed with their answers by test/e2e/example.test.ts. */
export const TYPED_WITH_ANSWERS = 'docs/EXAMPLE.md';

/** Blocks of commands whose remark says `run`: typed by test/e2e/documents.test.ts, in order. */
export function blocksToRun(document: string): Fenced[] {
  return fencedBlocks(readDocument(document)).filter(({ remarks }) => remarks.has('run'));
}
