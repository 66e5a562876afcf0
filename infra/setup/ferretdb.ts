// FerretDB as the MongoDB server of the tests: built once from infra/ferretdb, then kept.

import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { access, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { AppError } from '../../shared/errors.ts';
import { lastLines, runProgram } from './commands.ts';
import type { DebianPackages } from './debian-packages.ts';
import { ensureGo } from './go-toolchain.ts';
import type { Note } from './progress.ts';

export const FERRETDB_VERSION = '1.24.2';

/** One core of a small machine needs some five minutes, and the modules come first. */
const BUILD_DEADLINE_MS = 20 * 60_000;

export interface FerretdbOptions {
  /** Kept between runs. */
  readonly cacheDir: string;
  readonly packages: DebianPackages;
  readonly logFile: string;
  /** For tests: where programs are looked for. */
  readonly path?: string;
}

/** The program, built if these sources were not built yet. @throws {AppError} `bad_config`, `internal`. */
export async function ensureFerretdb(options: FerretdbOptions, note: Note): Promise<string> {
  const sources = sourceFolder();
  const program = join(options.cacheDir, `ferretdb-${FERRETDB_VERSION}-${await keyOf(sources)}`);
  if (await isThere(program)) return program;
  const go = await ensureGo(options, note);
  await mkdir(options.cacheDir, { recursive: true });
  note(`building FerretDB ${FERRETDB_VERSION} with Go ${go.version}, once; takes a few minutes`);
  // Another run may build at the same time: each to a name of its own, and the whole file appears at once.
  const unfinished = `${program}.${randomUUID()}`;
  try {
    const { code, fault, output } = await runProgram(
      go.program,
      [
        'build',
        '-buildvcs=false',
        '-trimpath',
        '-ldflags=-s -w',
        '-tags=ferretdb_no_postgresql',
        '-o',
        unfinished,
        '.',
      ],
      {
        deadlineMs: BUILD_DEADLINE_MS,
        logFile: options.logFile,
        cwd: sources,
        env: { CGO_ENABLED: '0', GOWORK: 'off' },
      },
    );
    if (code !== 0) {
      throw new AppError(
        'internal',
        `FerretDB could not be built (${fault ?? `exit code ${code}`}):\n${lastLines(output, 8)}\n` +
          '  Set MONGODB_URL or install mongod to do without it; behind a proxy, set GOPROXY.',
      );
    }
    await rename(unfinished, program);
  } finally {
    await rm(unfinished, { force: true });
  }
  return program;
}

/** Beside this folder in the sources; the compiled files lie a folder deeper. */
function sourceFolder(): string {
  const found = ['../ferretdb', '../../../infra/ferretdb']
    .map((path) => resolve(import.meta.dirname, path))
    .find((path) => existsSync(join(path, 'go.mod')));
  if (found) return found;
  throw new AppError('internal', 'the sources of the test server (infra/ferretdb) are missing');
}

async function keyOf(folder: string): Promise<string> {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}`);
  const names = (await readdir(folder)).filter((name) => /\.(go|mod|sum)$/.test(name)).sort();
  for (const name of names) hash.update(`\0${name}\0`).update(await readFile(join(folder, name)));
  return hash.digest('hex').slice(0, 16);
}

async function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
