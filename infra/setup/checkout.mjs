// What a fresh checkout needs before TypeScript can run: the right Node, the packages of the lock file, a build.
// Plain JavaScript on Node's own modules: it runs before any package is there. Decides only; bootstrap.mjs acts.

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Oldest Node that works; keep in step with `engines` of package.json. */
export const MINIMUM_NODE = [20, 19];

/** @returns {string | null} what is wrong with this Node, or null. */
export function nodeFault(version) {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  const [wantedMajor, wantedMinor] = MINIMUM_NODE;
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return null;
  return `CloudAI needs Node ${wantedMajor}.${wantedMinor} or newer; this is ${version}. Get a newer one from https://nodejs.org.`;
}

/**
 * Compares the lock file with the record npm keeps of what it installed (written last, so an install that was
 * cut off counts as missing). Packages for other systems and optional ones may be absent.
 * @returns {string | null} why packages must be installed, or null when they are there.
 */
export function packagesFault(root) {
  const wanted = readJson(join(root, 'package-lock.json'))?.packages;
  if (!wanted) return null;
  const found = readJson(join(root, 'node_modules/.package-lock.json'))?.packages;
  if (!found) return 'not installed yet';
  for (const [path, { version, optional, devOptional, link }] of Object.entries(wanted)) {
    if (path === '' || link) continue;
    const name = path.replace(/^.*node_modules\//, '');
    const there = found[path];
    if (!there && (optional || devOptional)) continue;
    if (!there) return `${name} ${version} is missing`;
    if (there.version !== version) return `${name} is ${there.version}, wanted is ${version}`;
    if (!optional && !devOptional && !existsSync(join(root, path))) return `${name} ${version} is missing`;
  }
  return null;
}

/** What the compiled code reads beside itself. */
export function contractFiles(root) {
  return filesUnder(root, 'shared/contracts').filter((path) => path.endsWith('.proto'));
}

/** What `tsc -p tsconfig.build.json` reads, and what is put beside its output. */
export function codeHash(root) {
  return hashOf(root, [
    ...['api', 'scheduler', 'runner', 'shared', 'client', 'cli', 'infra'].flatMap((room) =>
      filesUnder(root, room).filter((path) => /\.m?ts$/.test(path) && !/\.test\.ts$/.test(path)),
    ),
    ...contractFiles(root),
    ...['tsconfig.json', 'tsconfig.build.json', 'package.json', 'package-lock.json'],
  ]);
}

/** What `vite build` reads. */
export function webHash(root) {
  return hashOf(root, [
    ...filesUnder(root, 'web').filter((path) => !/\.test\.ts$/.test(path)),
    ...['client', 'shared/model', 'shared/contracts'].flatMap((room) =>
      filesUnder(root, room).filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts')),
    ),
    ...['shared/errors.ts', 'package-lock.json'],
  ]);
}

function hashOf(root, paths) {
  const hash = createHash('sha256');
  for (const path of paths) {
    if (!existsSync(join(root, path))) continue;
    hash
      .update(`${path}\0`)
      .update(readFileSync(join(root, path)))
      .update('\0');
  }
  return hash.digest('hex');
}

/** In a fixed order, so that the same files give the same hash on every machine. */
function filesUnder(root, directory) {
  if (!existsSync(join(root, directory))) return [];
  return readdirSync(join(root, directory), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = `${directory}/${entry.name}`;
      if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : filesUnder(root, path);
      return entry.isFile() ? [path] : [];
    });
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return null;
  }
}
