// What the built dashboard costs a first visit, and that it fetches nothing from elsewhere. Reads dist/web, which
// `npm test` has built by then.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';

const web = resolve(import.meta.dirname, '../../dist/web');
const isBuilt = existsSync(join(web, 'index.html'));
const read = (path: string) => readFileSync(join(web, path), 'utf8');

/** Script that a first visit may load, packed. */
const FIRST_VISIT_KB = 150;
/** Names of vocabularies and addresses that are shown to people: nothing is fetched from them. */
const ONLY_WORDS = /^https?:\/\/(www\.w3\.org|example\.com|lit\.dev|socket\.io\/docs|[\w.-]+\.example)\b/;

/** The script and all that it imports before it runs. */
function withImports(path: string, found = new Set<string>()): Set<string> {
  if (found.has(path)) return found;
  found.add(path);
  const source = read(path);
  for (const [, name] of source.matchAll(/(?:\bfrom|\bimport)\s*["'](\.{1,2}\/[^"']+\.js)["']/g)) {
    withImports(join(dirname(path), name ?? ''), found);
  }
  return found;
}

const skipped = isBuilt ? '' : ' (skipped: dist/web is not there; npm run build makes it)';

describe.skipIf(!isBuilt)(`the built dashboard${skipped}`, () => {
  const files = isBuilt ? (readdirSync(web, { recursive: true }) as string[]) : [];

  it(`comes with less than ${FIRST_VISIT_KB} kB of script on a first visit`, () => {
    const [, entry = ''] = /<script type="module"[^>]* src="\/([^"]+)"/.exec(read('index.html')) ?? [];
    const overview = files.find((path) => /^assets\/overview-[\w-]+\.js$/.test(path)) ?? '';
    expect([entry, overview].every((path) => files.includes(path))).toBe(true);
    const scripts = withImports(overview, withImports(entry)).add('theme.js');
    const kb = [...scripts].reduce((sum, path) => sum + gzipSync(read(path)).length, 0) / 1_000;
    process.stdout.write(`first visit: ${kb.toFixed(1)} kB of script in ${scripts.size} files, packed\n`);
    expect(scripts.size).toBeGreaterThan(2);
    expect(kb).toBeGreaterThan(10);
    expect(kb).toBeLessThan(FIRST_VISIT_KB);
  });

  it('has a packed form beside each file that is large', () => {
    const large = files.filter((path) => /\.(js|css)$/.test(path) && read(path).length > 4_096);
    expect(large.length).toBeGreaterThan(1);
    for (const path of large) {
      expect(files).toContain(`${path}.gz`);
      expect(files).toContain(`${path}.br`);
    }
  });

  it('names no other origin to fetch from', () => {
    const texts = files.filter((path) => /\.(js|css|html|svg|json)$/.test(path));
    const foreign = texts.flatMap((path) =>
      [...read(path).matchAll(/(?:https?|wss?):\/\/\w[^\s"'`)<>\\]*/g)]
        .map(([address]) => address)
        .filter((address) => !ONLY_WORDS.test(address))
        .map((address) => `${path}: ${address}`),
    );
    expect(foreign).toEqual([]);
    const links = texts.flatMap((path) => [
      ...read(path).matchAll(/(?:src|href)=["']\/\/[^"']*|@import[^;]*\/\/|url\(\s*["']?\/\/[^)]*/g),
    ]);
    expect(links.map(([text]) => text)).toEqual([]);
  });
});
