// Builds the image of infra/Dockerfile where no registry can be reached: on a base made of this machine's own Node and
// iptables, with the packages and the build that are already here in the place of the build stage. The final stage is
// the Dockerfile's own, word for word.

import { spawn } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { pack } from 'tar-stream';
import { followProgress } from '../../infra/setup/pull.ts';
import { importTar, iptables, makeScratchImage } from './scratch-image.ts';

const root = resolve(import.meta.dirname, '../..');
const DEADLINE_MS = 180_000;

/** Node, iptables, and the libraries they and native packages load. */
export async function makeBase(docker: Docker, name: string): Promise<void> {
  const rules = await iptables();
  await makeScratchImage(docker, name, {
    ...rules,
    programs: { ...rules.programs, 'usr/local/bin/node': process.execPath },
    loaded: await nativePackages(),
    files: { 'etc/passwd': 'root:x:0:0::/:/bin/sh\nnode:x:1000:1000::/data:/bin/sh\n' },
  });
}

/** What the build stage leaves, without the packages: those are thousands of files, and whoever runs it mounts them. */
export async function makeBuilt(docker: Docker, name: string): Promise<void> {
  const wanted = ['package.json', 'dist', '--no-recursion', 'node_modules'];
  const app = spawn('tar', ['-cf', '-', '--transform', 's,^,app/,S', '-C', root, ...wanted], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await importTar(docker, app.stdout, name);
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

/** Of this machine's C library. */
async function nativePackages(): Promise<string[]> {
  const folder = join(root, 'node_modules/@libsql');
  const names = (await readdir(folder)).filter((name) => name.endsWith('-gnu'));
  return names.map((name) => join(folder, name, 'index.node'));
}
