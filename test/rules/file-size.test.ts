// A file that outgrows this holds more than one thing: it is split by noun before it does. Fixtures are written by programs, and
// what lists one thing whole (messages of gRPC, documents) has no such limit.

import { readdirSync, readFileSync } from 'node:fs';
import { extname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../..');
const MOST_LINES = 400;
const SOURCE = ['.ts', '.mts', '.js', '.mjs', '.css', '.html', '.sh'];
const LEFT_OUT = ['node_modules', 'dist', 'data', 'coverage', 'fixture'];

function* sources(folder: string): Generator<string> {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.name.startsWith('.') || LEFT_OUT.includes(entry.name)) continue;
    if (entry.isDirectory()) yield* sources(path);
    else if (SOURCE.includes(extname(entry.name))) yield path;
  }
}

/** Each file of more lines, with their number. */
function tooLong(files: Iterable<{ path: string; text: string }>): string[] {
  const counted = [...files].map(({ path, text }) => ({ path, lines: text.trimEnd().split('\n').length }));
  return counted
    .filter(({ lines }) => lines > MOST_LINES)
    .map(({ path, lines }) => `${path}: ${lines} lines`);
}

describe('files of source and of tests', () => {
  it(`have at most ${MOST_LINES} lines`, () => {
    const files = [...sources('.')].map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }));
    expect(files.length).toBeGreaterThan(1_000);
    expect(tooLong(files)).toEqual([]);
  });

  it('are found when they have more', () => {
    const file = (lines: number) => ({ path: 'a.ts', text: 'x\n'.repeat(lines) });
    expect(tooLong([file(MOST_LINES)])).toEqual([]);
    expect(tooLong([file(MOST_LINES + 1)])).toEqual(['a.ts: 401 lines']);
  });
});
