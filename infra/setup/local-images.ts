// A small image made on the spot from the machine's own static busybox, so that a first task and the tests need no
// registry. Never replaces an image of that name that is there.

import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { arch } from 'node:os';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import type Docker from 'dockerode';
import { type Header, type Pack, pack } from 'tar-stream';
import { messageOf } from '../../shared/errors.ts';
import { findProgram } from './commands.ts';
import type { DebianPackages } from './debian-packages.ts';
import type { Note } from './progress.ts';
import { followProgress, hasImage, pullImage } from './pull.ts';

export const LOCAL_IMAGE = 'cloudai/busybox:local';
const [REPOSITORY, TAG] = LOCAL_IMAGE.split(':') as [string, string];

const IMPORT_DEADLINE_MS = 60_000;
const CHANGES = ['CMD ["/bin/sh"]', 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'];

export interface LocalImage {
  /** An image that is present, or null when there is none at all. */
  readonly image: string | null;
  readonly how: string;
}

/** Makes the local image present, or says what is there instead. Throws only when Docker itself fails. */
export async function ensureLocalImage(
  docker: Docker,
  packages: DebianPackages,
  note: Note,
): Promise<LocalImage> {
  if (await hasImage(docker, LOCAL_IMAGE)) return { image: LOCAL_IMAGE, how: `${LOCAL_IMAGE} (was there)` };
  const busybox = await findBusybox(docker, packages, note);
  if (busybox) {
    note(`making ${LOCAL_IMAGE} from ${busybox}`);
    const stream = (await docker.importImage(
      busyboxTar(await readFile(busybox), await appletsOf(busybox)) as unknown as NodeJS.ReadableStream,
      { repo: REPOSITORY, tag: TAG, changes: CHANGES },
    )) as unknown as Readable;
    await followProgress(docker, stream, IMPORT_DEADLINE_MS);
    return { image: LOCAL_IMAGE, how: `${LOCAL_IMAGE} (made from ${busybox})` };
  }
  try {
    await pullImage(docker, 'busybox:latest', note);
    await docker.getImage('busybox:latest').tag({ repo: REPOSITORY, tag: TAG });
    return { image: LOCAL_IMAGE, how: `${LOCAL_IMAGE} (busybox, pulled)` };
  } catch (error) {
    const [present] = (await docker.listImages()).flatMap((image) => image.RepoTags ?? []);
    return {
      image: present ?? null,
      how: `none made: no static busybox here, and ${messageOf(error)}`,
    };
  }
}

/** A static busybox that containers of this engine can run. */
async function findBusybox(docker: Docker, packages: DebianPackages, note: Note): Promise<string | null> {
  const { Architecture, OSType } = (await docker.info()) as { Architecture: string; OSType: string };
  if (OSType !== 'linux' || process.platform !== 'linux' || !sameMachine(Architecture, arch())) return null;
  const found = findProgram('busybox');
  if (found && isStatic(await readFile(found))) return found;
  // Debian's plain `busybox` needs the libraries of its host; `busybox-static` takes its place.
  if (!packages.available) return null;
  await packages.install(['busybox-static'], note);
  const installed = findProgram('busybox');
  return installed && isStatic(await readFile(installed)) ? installed : null;
}

/** The engine's name of a processor (`uname -m`) against Node's. */
export function sameMachine(engine: string, node: string): boolean {
  const names: Readonly<Record<string, readonly string[]>> = {
    x64: ['x86_64', 'amd64'],
    arm64: ['aarch64', 'arm64'],
    arm: ['armv7l', 'armv6l', 'arm'],
    ia32: ['i386', 'i686'],
    riscv64: ['riscv64'],
    s390x: ['s390x'],
    ppc64: ['ppc64le'],
  };
  return names[node]?.includes(engine) ?? engine === node;
}

/** True for an ELF program that names no interpreter, that is, needs no shared library to run. */
export function isStatic(program: Buffer): boolean {
  const PT_INTERP = 3;
  if (program.length < 64 || program.readUInt32BE(0) !== 0x7f454c46) return false;
  const is64 = program[4] === 2;
  const little = program[5] === 1;
  const u16 = (at: number) => (little ? program.readUInt16LE(at) : program.readUInt16BE(at));
  const u32 = (at: number) => (little ? program.readUInt32LE(at) : program.readUInt32BE(at));
  const u64 = (at: number) => Number(little ? program.readBigUInt64LE(at) : program.readBigUInt64BE(at));
  const table = is64 ? u64(32) : u32(28);
  const size = u16(is64 ? 54 : 42);
  const count = u16(is64 ? 56 : 44);
  if (table + size * count > program.length) return false;
  return !Array.from({ length: count }, (_, i) => u32(table + i * size)).includes(PT_INTERP);
}

async function appletsOf(busybox: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)(busybox, ['--list'], { timeout: 10_000 });
  return stdout.split('\n').filter((name) => name !== '');
}

const PASSWD = 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n';
const GROUP = 'root:x:0:\nnobody:x:65534:\n';

/** The root file system: busybox, its names, and the few files and folders programs expect. */
export function busyboxTar(program: Buffer, applets: readonly string[]): Pack {
  const tar = pack();
  const folder = (name: string, mode = 0o755) => tar.entry({ ...plain(name, mode), type: 'directory' });
  for (const name of ['bin', 'etc', 'usr', 'usr/bin', 'var', 'dev', 'proc', 'sys']) folder(name);
  folder('root', 0o700);
  for (const name of ['tmp', 'var/tmp', 'output']) folder(name, 0o1777);
  tar.entry(plain('bin/busybox', 0o755), program);
  for (const name of new Set(applets)) {
    // A link of busybox to itself would put an endless loop in the program's place.
    if (name === 'busybox') continue;
    tar.entry({ ...plain(`bin/${name}`, 0o777), type: 'symlink', linkname: 'busybox' });
  }
  tar.entry({ ...plain('usr/bin/env', 0o777), type: 'symlink', linkname: '../../bin/busybox' });
  tar.entry(plain('etc/passwd', 0o644), PASSWD);
  tar.entry(plain('etc/group', 0o644), GROUP);
  tar.finalize();
  return tar;
}

/** Same bytes for the same busybox: no times, no owners of the machine it was made on. */
function plain(name: string, mode: number): Partial<Header> & { name: string } {
  return { name, mode, uid: 0, gid: 0, mtime: new Date(0) };
}
