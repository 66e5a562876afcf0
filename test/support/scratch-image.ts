// Images made of this machine's own programs, for where no registry can be reached: each program with the libraries it
// loads, and a shell and small tools by busybox. They run on an engine of the same machine alone.

import { execFile } from 'node:child_process';
import { readdir, readFile, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import type Docker from 'dockerode';
import { pack } from 'tar-stream';
import { findProgram } from '../../infra/setup/commands.ts';
import { followProgress } from '../../infra/setup/pull.ts';

const DEADLINE_MS = 180_000;
const PATH = '/usr/local/bin:/usr/sbin:/bin';
const USUAL_TOOLS = ['sh', 'cat', 'chown', 'find', 'ln', 'mkdir', 'rm'];

export interface ScratchImage {
  /** By their place in the image, files of this machine. */
  readonly programs: Readonly<Record<string, string>>;
  /** Symbolic links, and where they lead. */
  readonly links?: Readonly<Record<string, string>>;
  /** By their place, text. */
  readonly files?: Readonly<Record<string, string>>;
  readonly folders?: readonly string[];
  /** Of busybox, beside the usual ones. */
  readonly tools?: readonly string[];
  /** Files whose libraries are needed too, though they are not put in. */
  readonly loaded?: readonly string[];
  /** Files that a program loads by itself: put in under their own paths. */
  readonly modules?: readonly string[];
  /** Instructions of a Dockerfile. */
  readonly changes?: readonly string[];
}

/** Paths in the image begin without a slash. @throws when a program is missing or the engine does not take it */
export async function makeScratchImage(docker: Docker, name: string, image: ScratchImage): Promise<void> {
  const { programs, links = {}, files = {}, modules = [], loaded = [] } = image;
  const loading = [...Object.values(programs), ...modules, ...loaded];
  const libraries = new Set((await Promise.all(loading.map(librariesOf))).flat());
  const own = [...libraries, ...modules].map((path) => [placeOf(path), path] as const);
  const tools = [...USUAL_TOOLS, ...(image.tools ?? [])].map((tool) => [`bin/${tool}`, '/bin/busybox']);
  const there = [...Object.keys(programs), ...Object.keys(links), ...Object.keys(files)];
  const folders = new Set(['tmp', 'bin', 'usr/local/bin', 'etc', 'proc', 'sys', 'dev']);
  for (const path of [...there, ...own.map(([path]) => path)]) folders.add(dirname(path));
  for (const folder of image.folders ?? []) folders.add(folder);

  const tar = pack();
  for (const path of folders) {
    tar.entry({ name: path, type: 'directory', mode: path === 'tmp' ? 0o1777 : 0o755 });
  }
  const binaries = [['bin/busybox', program('busybox')] as const, ...Object.entries(programs), ...own];
  for (const [path, file] of binaries) tar.entry({ name: path, mode: 0o755 }, await readFile(file));
  for (const [path = '', linkname = ''] of [...tools, ...Object.entries(links)])
    tar.entry({ name: path, type: 'symlink', linkname });
  for (const [path, text] of Object.entries(files)) tar.entry({ name: path, mode: 0o755 }, text);
  tar.finalize();
  const changes = [`ENV PATH=${PATH}`, ...(image.changes ?? [])];
  await importTar(docker, tar as unknown as Readable, name, changes);
}

/** @throws when this machine does not have it */
export function program(name: string): string {
  const found = findProgram(name);
  if (!found) throw new Error(`${name} is missing on this machine`);
  return found;
}

/** iptables, whichever kind this machine has, with what it loads by itself. */
export async function iptables(): Promise<Pick<ScratchImage, 'programs' | 'links' | 'modules'>> {
  const real = await realpath(program('iptables'));
  const library = (await librariesOf(real)).find((path) => path.includes('libxtables'));
  if (!library) throw new Error(`${real} loads no libxtables`);
  const folder = join(dirname(await realpath(library)), 'xtables');
  const path = real.slice(1);
  return {
    programs: { [path]: real },
    links: { 'usr/sbin/iptables': real, 'usr/sbin/iptables-restore': real },
    modules: (await readdir(folder)).map((name) => join(folder, name)),
  };
}

export async function importTar(
  docker: Docker,
  tar: Readable,
  name: string,
  changes: readonly string[] = [],
): Promise<void> {
  const [repo, tag] = name.split(':') as [string, string];
  const options = { repo, tag, changes: [...changes] };
  // An engine that refuses it hangs up: what it says counts.
  tar.on('error', () => undefined);
  const stream = await docker.importImage(tar as unknown as NodeJS.ReadableStream, options);
  try {
    await followProgress(docker, stream as unknown as Readable, DEADLINE_MS);
  } catch (cause) {
    throw new Error(`${name} could not be imported`, { cause });
  }
}

/** Where a program finds it: what is installed in a folder of its own goes to the usual one. */
function placeOf(path: string): string {
  return /^\/(usr\/)?lib/.test(path) ? path.slice(1) : `usr/lib/${basename(path)}`;
}

/** Of a program without any (a static one) none. */
async function librariesOf(path: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)('ldd', [path]).catch((error: { stderr?: string }) => {
    if (/not a dynamic executable/.test(error.stderr ?? '')) return { stdout: '' };
    throw error;
  });
  return stdout.split('\n').flatMap((line) => /(\/\S+) \(0x/.exec(line)?.[1] ?? []);
}
