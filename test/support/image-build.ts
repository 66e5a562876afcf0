// Builds the image of infra/Dockerfile where no registry can be reached: on a base made of this machine's own Node and
// busybox, with the packages and the build that are already here in the place of the build stage. The final stage is
// the Dockerfile's own, word for word.

import { execFile, spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import type Docker from 'dockerode';
import { pack } from 'tar-stream';
import { findProgram } from '../../infra/setup/commands.ts';
import { followProgress } from '../../infra/setup/pull.ts';

const root = resolve(import.meta.dirname, '../..');
const DEADLINE_MS = 180_000;
const TOOLS = ['sh', 'cat', 'chown', 'find', 'ln', 'mkdir', 'rm'];

/** Node, the libraries it and native packages load, a shell and a few tools. */
export async function makeBase(docker: Docker, name: string): Promise<void> {
  const busybox = findProgram('busybox');
  if (!busybox) throw new Error('busybox is missing: run the tests through "npm test"');
  const native = await nativePackages();
  const libraries = new Set((await Promise.all([process.execPath, ...native].map(librariesOf))).flat());
  const tar = pack();
  const folders = new Set<string>(['tmp', 'bin', 'usr/local/bin', 'etc', 'proc', 'sys', 'dev']);
  for (const path of libraries) folders.add(dirname(path).slice(1));
  for (const path of folders) {
    tar.entry({ name: path, type: 'directory', mode: path === 'tmp' ? 0o1777 : 0o755 });
  }
  tar.entry({ name: 'bin/busybox', mode: 0o755 }, await readFile(busybox));
  for (const tool of TOOLS) tar.entry({ name: `bin/${tool}`, type: 'symlink', linkname: 'busybox' });
  tar.entry({ name: 'usr/local/bin/node', mode: 0o755 }, await readFile(process.execPath));
  for (const path of libraries) tar.entry({ name: path.slice(1), mode: 0o755 }, await readFile(path));
  tar.entry({ name: 'etc/passwd' }, 'root:x:0:0::/:/bin/sh\nnode:x:1000:1000::/data:/bin/sh\n');
  tar.finalize();
  await importTar(docker, tar as unknown as Readable, name, 'the base');
}

/** What the build stage leaves, without the packages: those are thousands of files, and whoever runs it mounts them. */
export async function makeBuilt(docker: Docker, name: string): Promise<void> {
  const app = spawn(
    'tar',
    [
      '-cf',
      '-',
      '--transform',
      's,^,app/,S',
      '-C',
      root,
      'package.json',
      'dist',
      '--no-recursion',
      'node_modules',
    ],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  await importTar(docker, app.stdout, name, 'the build');
}

/** For the containers of the image, at `/app/node_modules`. */
export const PACKAGES = join(root, 'node_modules');

/** @param images made by `makeBase` and `makeBuilt` */
export async function buildImage(
  docker: Docker,
  images: { readonly base: string; readonly built: string },
  name: string,
): Promise<void> {
  const context = pack();
  const text = await readFile(join(root, 'infra/Dockerfile'), 'utf8');
  context.entry({ name: 'Dockerfile' }, withoutBuilding(text));
  for (const script of ['entry.sh', 'health.sh']) {
    const path = `infra/container/${script}`;
    context.entry({ name: path, mode: 0o755 }, await readFile(join(root, path)));
  }
  context.finalize();
  const stream = await docker.buildImage(context as unknown as NodeJS.ReadableStream, {
    t: name,
    buildargs: { NODE_IMAGE: images.built, BASE_IMAGE: images.base },
    // What earlier tests built is never used.
    nocache: true,
    forcerm: true,
  });
  await followProgress(docker, stream as unknown as Readable, DEADLINE_MS);
}

/** The steps of the build stage are left out: its base has their outcome. */
function withoutBuilding(text: string): string {
  const [head, build, final, ...more] = text.split(/^(?=FROM )/m);
  const [from] = /^FROM \$\{NODE_IMAGE\} AS build\n/.exec(build ?? '') ?? [];
  if (!head || !from || !final || more.length > 0) {
    throw new Error('infra/Dockerfile has other stages than this file knows');
  }
  return `${head}${from}\n${final}`;
}

async function importTar(docker: Docker, tar: Readable, name: string, what: string): Promise<void> {
  const [repo, tag] = name.split(':') as [string, string];
  const changes = ['ENV PATH=/usr/local/bin:/bin'];
  const stream = await docker.importImage(tar as unknown as NodeJS.ReadableStream, { repo, tag, changes });
  try {
    await followProgress(docker, stream as unknown as Readable, DEADLINE_MS);
  } catch (cause) {
    throw new Error(`${what} could not be imported`, { cause });
  }
}

/** Of this machine's C library. */
async function nativePackages(): Promise<string[]> {
  const folder = join(root, 'node_modules/@libsql');
  const names = (await readdir(folder)).filter((name) => name.endsWith('-gnu'));
  return names.map((name) => join(folder, name, 'index.node'));
}

async function librariesOf(program: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)('ldd', [program]);
  return stdout.split('\n').flatMap((line) => /(\/\S+) \(0x/.exec(line)?.[1] ?? []);
}
