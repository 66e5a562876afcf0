// Programs written in Go that only tests need: built once from sources pinned here (go.mod, go.sum), then kept.

import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { access, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { AppError } from '../../shared/errors.ts';
import { lastLines, runProgram } from './commands.ts';
import type { DebianPackages } from './debian-packages.ts';
import { ensureGo } from './go-toolchain.ts';
import type { Note } from './progress.ts';

/** One core of a small machine needs some five minutes, and the modules come first. */
const BUILD_DEADLINE_MS = 20 * 60_000;

export interface GoProgramOptions {
  /** Kept between runs. */
  readonly cacheDir: string;
  readonly packages: DebianPackages;
  readonly logFile: string;
  /** For tests: where programs are looked for. */
  readonly path?: string;
}

export interface GoProgram {
  /** As people know it. */
  readonly title: string;
  readonly version: string;
  /** Below `infra/`. */
  readonly folder: string;
  /** What to build; `.` is what lies in the folder. */
  readonly target: string;
  readonly flags: readonly string[];
  /** What to do when it cannot be built. */
  readonly instead: string;
}

/** The program, built if these sources were not built yet. @throws {AppError} `bad_config`, `internal`. */
export async function ensureGoProgram(
  { title, version, folder, target, flags, instead }: GoProgram,
  options: GoProgramOptions,
  note: Note,
): Promise<string> {
  const sources = sourceFolder(folder);
  const program = join(options.cacheDir, `${folder}-${version}-${await keyOf(sources)}`);
  if (await isThere(program)) return program;
  const go = await ensureGo(options, note);
  await mkdir(options.cacheDir, { recursive: true });
  note(`building ${title} ${version} with Go ${go.version}, once; takes a few minutes`);
  // Another run may build at the same time: each to a name of its own, and the whole file appears at once.
  const unfinished = `${program}.${randomUUID()}`;
  try {
    const { code, fault, output } = await runProgram(
      go.program,
      ['build', '-buildvcs=false', '-trimpath', '-ldflags=-s -w', ...flags, '-o', unfinished, target],
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
        `${title} could not be built (${fault ?? `exit code ${code}`}):\n${lastLines(output, 8)}\n  ${instead}`,
      );
    }
    await rename(unfinished, program);
  } finally {
    await rm(unfinished, { force: true });
  }
  return program;
}

/** Beside this folder in the sources; the compiled files lie a folder deeper. */
function sourceFolder(name: string): string {
  const found = [`../${name}`, `../../../infra/${name}`]
    .map((path) => resolve(import.meta.dirname, path))
    .find((path) => existsSync(join(path, 'go.mod')));
  if (found) return found;
  throw new AppError('internal', `the sources of a program for tests (infra/${name}) are missing`);
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
