import { readFile } from 'node:fs/promises';
import { arch } from 'node:os';
import { type Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import Docker from 'dockerode';
import { extract, type Header } from 'tar-stream';
import { describe, expect, it } from 'vitest';
import { findProgram } from './commands.ts';
import { DebianPackages } from './debian-packages.ts';
import { busyboxTar, ensureLocalImage, isStatic, LOCAL_IMAGE, sameMachine } from './local-images.ts';

async function entriesOf(tar: Readable): Promise<Map<string, Header & { body: Buffer }>> {
  const found = new Map<string, Header & { body: Buffer }>();
  const reader = extract();
  reader.on('entry', async (header, stream, next) => {
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk as Buffer);
    found.set(header.name.replace(/\/$/, ''), { ...header, body: Buffer.concat(chunks) });
    next();
  });
  await pipeline(tar, reader);
  return found;
}

async function bytesOf(tar: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  await pipeline(
    tar,
    new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        chunks.push(chunk);
        done();
      },
    }),
  );
  return Buffer.concat(chunks);
}

const program = Buffer.from('the program');
const make = (applets: string[]) => busyboxTar(program, applets) as unknown as Readable;

describe('the file system of the local image', () => {
  it('holds the program once and its names as links to it', async () => {
    const entries = await entriesOf(make(['[', 'busybox', 'sh', 'ls', 'sh']));
    expect(entries.get('bin/busybox')).toMatchObject({ type: 'file', mode: 0o755, body: program });
    for (const name of ['[', 'sh', 'ls']) {
      expect(entries.get(`bin/${name}`)).toMatchObject({ type: 'symlink', linkname: 'busybox' });
    }
    const links = [...entries.values()].filter(({ type }) => type === 'symlink');
    expect(links.filter(({ name }) => name.endsWith('/busybox'))).toEqual([]);
  });

  it('has root and nobody, a place for temporary files and one for outputs', async () => {
    const entries = await entriesOf(make(['sh']));
    expect(entries.get('etc/passwd')?.body.toString()).toMatch(/^root:x:0:0:[\s\S]*^nobody:x:65534:/m);
    expect(entries.get('etc/group')?.body.toString()).toMatch(/^root:x:0:/);
    expect(entries.get('tmp')).toMatchObject({ type: 'directory', mode: 0o1777 });
    expect(entries.get('output')).toMatchObject({ type: 'directory', mode: 0o1777 });
    for (const { uid, gid } of entries.values()) expect([uid, gid]).toEqual([0, 0]);
  });

  it('is the same for the same program', async () => {
    expect(await bytesOf(make(['sh', 'ls']))).toEqual(await bytesOf(make(['sh', 'ls'])));
  });
});

describe('a program for an image', () => {
  it('is static when it names no interpreter', async () => {
    // Node itself needs the libraries of its machine, busybox-static does not.
    expect(isStatic(await readFile(process.execPath))).toBe(false);
    const busybox = findProgram('busybox');
    if (!busybox) throw new Error('busybox is missing: run the tests through "npm test"');
    expect(isStatic(await readFile(busybox))).toBe(true);
  });

  it('is not static when it is no program', () => {
    expect(isStatic(Buffer.from('#!/bin/sh\n'))).toBe(false);
    expect(isStatic(Buffer.alloc(200))).toBe(false);
    expect(isStatic(Buffer.concat([Buffer.from('7f454c460201', 'hex'), Buffer.alloc(100, 0xff)]))).toBe(
      false,
    );
  });

  it('must be of the machine the containers run on', () => {
    expect(sameMachine('x86_64', 'x64')).toBe(true);
    expect(sameMachine('aarch64', 'arm64')).toBe(true);
    expect(sameMachine('aarch64', 'x64')).toBe(false);
  });
});

describe('the local image', () => {
  it('is there, runs as root of its own and has its tools', async () => {
    const docker = new Docker();
    const packages = new DebianPackages({ logFile: '/dev/null', isRoot: false });
    const made = await ensureLocalImage(docker, packages, () => undefined);
    expect(made.image).toBe(LOCAL_IMAGE);
    const { Architecture, Config } = await docker.getImage(LOCAL_IMAGE).inspect();
    expect(sameMachine(Architecture, arch())).toBe(true);
    expect(Config.Cmd).toEqual(['/bin/sh']);
    expect(Config.Env.join()).toContain('/bin');
  });

  it('made anew from this machine’s busybox runs a shell', async () => {
    const docker = new Docker();
    const busybox = findProgram('busybox') ?? '';
    const name = 'cloudai/busybox:made-by-a-test';
    const [repo, tag] = name.split(':');
    const stream = await docker.importImage(
      busyboxTar(await readFile(busybox), [
        'sh',
        'id',
        'stat',
        'busybox',
      ]) as unknown as NodeJS.ReadableStream,
      { repo, tag, changes: ['CMD ["/bin/sh"]', 'ENV PATH=/bin'] },
    );
    await new Promise((done, refused) =>
      docker.modem.followProgress(stream as unknown as Readable, (error: Error | null) =>
        error ? refused(error) : done(null),
      ),
    );
    try {
      const container = await docker.createContainer({
        Image: name,
        Cmd: ['sh', '-c', 'id -un; stat -c %a /tmp'],
        NetworkDisabled: true,
        Tty: true,
      });
      await container.start();
      await container.wait();
      const output = (await container.logs({ stdout: true })).toString();
      await container.remove({ force: true });
      expect(output.split(/\r?\n/).slice(0, 2)).toEqual(['root', '1777']);
    } finally {
      await docker.getImage(name).remove({ force: true });
    }
  });
});
