// The promises of the port about files: what is given to a program, and what it leaves.

import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type {
  ContainerRuntime,
  ContainerSpec,
  InputFile,
  OutputEntry,
} from '../../../shared/ports/container-runtime.ts';
import type { Thing } from './dialects.ts';
import { makeContainerSpec, runToEnd } from './runs.ts';
import type { Abilities, RuntimeLives } from './runtime-suite.ts';

export interface SeenEntry {
  readonly type: OutputEntry['type'];
  readonly target: string | null;
  readonly sizeBytes: number;
  readonly bytes: Buffer;
}

/** Reads all of it. */
export async function readAll(
  runtime: ContainerRuntime,
  containerId: string,
): Promise<Map<string, SeenEntry>> {
  const seen = new Map<string, SeenEntry>();
  for await (const { path, type, target, sizeBytes, content } of runtime.readOutput(containerId)) {
    const chunks: Buffer[] = [];
    for await (const chunk of content) chunks.push(chunk as Buffer);
    expect(seen.has(path)).toBe(false);
    seen.set(path, { type, target, sizeBytes, bytes: Buffer.concat(chunks) });
  }
  return seen;
}

export function inputFile(path: string, content: Buffer | string): InputFile {
  const bytes = Buffer.from(content);
  const chunks = bytes.length === 0 ? [] : [bytes];
  return {
    path,
    sizeBytes: bytes.length,
    open: async () => Readable.from(chunks, { objectMode: false }),
  };
}

const EVERY_BYTE = Buffer.from(Array.from({ length: 256 }, (_, n) => n));

const ODD_NAMES = [
  'with space',
  'new\nline',
  'tab\there',
  'ünï€—日本',
  '-dash',
  '--',
  '.hidden',
  '.wh.no-whiteout',
  'back\\slash',
  '%41',
  `quote'"$(x)\`*?`,
  'x'.repeat(250),
  ['deep', ...Array.from({ length: 7 }, () => 'y'.repeat(120))].join('/'),
];

export function fileSuite(
  of: () => { runtime: ContainerRuntime; lives: RuntimeLives; workerId: string },
  { dialect, readOnlyInput }: Abilities,
): void {
  const spec = (over: Partial<ContainerSpec> = {}) => makeContainerSpec(of().workerId, over);
  const leave = async (things: readonly Thing[]) => {
    const { id, status, ear } = await runToEnd(of().runtime, spec({ command: dialect.leave(things) }));
    expect([status.exitCode, ear.stderr]).toEqual([0, '']);
    return id;
  };
  const giveAndRun = async (files: readonly InputFile[], command: string) => {
    const one = spec({ command, hasInput: true });
    await of().runtime.provideInput(one, files);
    return runToEnd(of().runtime, one);
  };

  describe('what a program leaves', () => {
    it('is nothing when it wrote nothing, or never ran', async () => {
      const { runtime } = of();
      const { id } = await runToEnd(runtime, spec({ command: dialect.talk('a', 'b', 0) }));
      expect(await readAll(runtime, id)).toEqual(new Map());
      const unstarted = await runtime.create(spec());
      expect(await readAll(runtime, unstarted)).toEqual(new Map());
    });

    it('comes out byte for byte, in folders, also when it is empty', async () => {
      const id = await leave([
        { kind: 'file', path: 'bytes.bin', bytes: EVERY_BYTE },
        { kind: 'file', path: 'a/b/c.txt', bytes: Buffer.from('deep\n') },
        { kind: 'file', path: 'zero', bytes: Buffer.alloc(0) },
        { kind: 'folder', path: 'hollow' },
        { kind: 'zeros', path: 'large', size: 5_000_001 },
      ]);
      const seen = await readAll(of().runtime, id);
      const file = (bytes: Buffer) => ({ type: 'file', target: null, sizeBytes: bytes.length, bytes });
      expect(seen.get('bytes.bin')).toEqual(file(EVERY_BYTE));
      expect(seen.get('a/b/c.txt')).toEqual(file(Buffer.from('deep\n')));
      expect(seen.get('zero')).toEqual(file(Buffer.alloc(0)));
      expect(seen.get('large')?.sizeBytes).toBe(5_000_001);
      expect(sha256(seen.get('large')?.bytes)).toBe(sha256(Buffer.alloc(5_000_001)));
      expect(seen.get('hollow')).toMatchObject({ type: 'directory', sizeBytes: 0 });
    });

    it('keeps the names it was given', async () => {
      const id = await leave(
        ODD_NAMES.map((path) => ({ kind: 'file', path, bytes: Buffer.from(`${path.length}`) })),
      );
      const seen = await readAll(of().runtime, id);
      const files = [...seen].filter(([, { type }]) => type === 'file').map(([path]) => path);
      expect(files.sort()).toEqual([...ODD_NAMES].sort());
      for (const path of ODD_NAMES) expect(seen.get(path)?.bytes.toString()).toBe(`${path.length}`);
    });

    it('says of links and pipes what they are, and follows none', async () => {
      const id = await leave([
        { kind: 'file', path: 'real', bytes: Buffer.from('real') },
        { kind: 'symlink', path: 'soft', target: 'real' },
        { kind: 'symlink', path: 'out', target: '/etc' },
        { kind: 'symlink', path: 'nowhere', target: 'no/such/file' },
        { kind: 'hardlink', path: 'hard', target: 'real' },
        { kind: 'fifo', path: 'pipe' },
      ]);
      const seen = await readAll(of().runtime, id);
      const kinds = Object.fromEntries([...seen].map(([path, { type }]) => [path, type]));
      // Which name of a file comes first is nobody's choice.
      const [first, second] = seen.get('real')?.type === 'file' ? ['real', 'hard'] : ['hard', 'real'];
      expect(kinds).toEqual({
        [first]: 'file',
        [second]: 'hardlink',
        soft: 'symlink',
        out: 'symlink',
        nowhere: 'symlink',
        pipe: 'other',
      });
      expect(seen.get(first)?.bytes.toString()).toBe('real');
      expect(seen.get(second)).toMatchObject({ target: first, sizeBytes: 0 });
      expect([...seen.values()].filter(({ type, bytes }) => type !== 'file' && bytes.length > 0)).toEqual([]);
    });

    it('can be read in part, again, and by the next life', async () => {
      const { runtime, lives } = of();
      const id = await leave([
        { kind: 'zeros', path: 'one', size: 3_000_000 },
        { kind: 'zeros', path: 'two', size: 3_000_000 },
      ]);
      const paths: string[] = [];
      for await (const { path, content } of runtime.readOutput(id)) {
        paths.push(path);
        content.destroy();
      }
      expect(paths.sort()).toEqual(['one', 'two']);
      for await (const _ of runtime.readOutput(id)) break;
      const next = await lives.reopen();
      try {
        expect([...(await readAll(next, id)).keys()].sort()).toEqual(['one', 'two']);
      } finally {
        await next.close();
      }
      const signal = AbortSignal.abort();
      const given = async () => {
        for await (const { content } of runtime.readOutput(id, signal)) content.destroy();
      };
      await expect(given()).rejects.toMatchObject({ code: 'timed_out' });
    });

    it('does not keep others from looking while it is read', async () => {
      const { runtime, workerId } = of();
      const id = await leave([{ kind: 'zeros', path: 'large', size: 5_000_000 }]);
      for await (const { content } of runtime.readOutput(id)) {
        expect(await runtime.inspect(id)).toMatchObject({ id, state: 'exited', exitCode: 0 });
        expect((await runtime.list(workerId)).map((one) => one.id)).toContain(id);
        content.destroy();
      }
    });

    it('is gone with its container', async () => {
      const { runtime } = of();
      const id = await leave([{ kind: 'file', path: 'a', bytes: Buffer.from('a') }]);
      await runtime.remove(id);
      await expect(readAll(runtime, id)).rejects.toMatchObject({ code: 'not_found' });
      await expect(readAll(runtime, 'unknown')).rejects.toMatchObject({ code: 'not_found' });
    });
  });

  describe('what a program is given', () => {
    it('is there, byte for byte, under its name', async () => {
      const files = ['plain.txt', 'sub/folder/x', ...ODD_NAMES].map((path) => inputFile(path, `in ${path}`));
      const command = files.map(({ path }) => dialect.catInput(path)).join('\n');
      const { ear, status } = await giveAndRun([...files, inputFile('zero', '')], command);
      expect([status.exitCode, ear.stderr]).toEqual([0, '']);
      expect(ear.stdout).toBe(files.map(({ path }) => `in ${path}\n`).join(''));
      const { ear: raw } = await giveAndRun([inputFile('raw', EVERY_BYTE)], dialect.catInput('raw'));
      expect(raw.bytes('stdout')).toEqual(Buffer.concat([EVERY_BYTE, Buffer.from('\n')]));
    });

    it.runIf(readOnlyInput)('cannot be changed', async () => {
      const command = 'echo x > /input/a; echo y > /input/new; rm -f /input/a; cat /input/a; ls /input';
      const { ear } = await giveAndRun([inputFile('a', 'as it was\n')], command);
      expect(ear.stdout).toBe('as it was\na\n');
      expect(ear.stderr).toMatch(/read-only/i);
    });

    it('begins anew when it is provided again', async () => {
      const { runtime } = of();
      const one = spec({ command: `${dialect.catInput('b')}\n${dialect.catInput('a')}`, hasInput: true });
      await runtime.provideInput(one, [inputFile('a', 'old a')]);
      await runtime.provideInput(one, [inputFile('b', 'new b')]);
      const { ear } = await runToEnd(runtime, one);
      expect(ear.stdout.startsWith('new b\n')).toBe(true);
      expect(ear.stdout).not.toContain('old a');
      expect(ear.stderr).toMatch(/no such file/i);
    });

    it('is not there after it was dropped, nor with its container', async () => {
      const { runtime } = of();
      const one = spec({ hasInput: true });
      const refusal = { code: 'container_start_failed', message: expect.stringContaining('not provided') };
      await runtime.provideInput(one, [inputFile('a', 'a')]);
      await runtime.dropInput(one);
      await runtime.dropInput(one);
      await expect(runtime.create(one)).rejects.toMatchObject(refusal);
      await runtime.provideInput(one, [inputFile('a', 'a')]);
      await runtime.remove(await runtime.create(one));
      await expect(runtime.create(one)).rejects.toMatchObject(refusal);
    });

    it('fails with what its source fails with', async () => {
      const { runtime } = of();
      const one = spec({ hasInput: true });
      const { AppError } = await import('../../../shared/errors.ts');
      const fault = new AppError('store_unavailable', 'the files are away', { retryable: true });
      const failing = (open: InputFile['open']) => ({ path: 'b', sizeBytes: 200_000, open });
      await expect(
        runtime.provideInput(one, [inputFile('a', 'a'), failing(() => Promise.reject(fault))]),
      ).rejects.toBe(fault);
      const breaks = async () =>
        Readable.from(
          (async function* () {
            yield Buffer.alloc(100_000);
            throw fault;
          })(),
        );
      await expect(runtime.provideInput(one, [failing(breaks)])).rejects.toBe(fault);
      const short = async () => Readable.from([Buffer.alloc(10)], { objectMode: false });
      await expect(runtime.provideInput(one, [failing(short)])).rejects.toMatchObject({ code: 'internal' });
      // And a later try is as good as the first.
      await runtime.provideInput(one, [inputFile('a', 'fine')]);
      await runtime.remove(await runtime.create(one));
    });

    it('can be given up', async () => {
      const { runtime } = of();
      const one = spec({ hasInput: true });
      const stop = new AbortController();
      const slow = async () =>
        Readable.from(
          (async function* () {
            for (let n = 0; n < 100; n += 1) {
              yield Buffer.alloc(1_000);
              stop.abort();
            }
          })(),
        );
      const giving = runtime.provideInput(one, [{ path: 'a', sizeBytes: 100_000, open: slow }], stop.signal);
      await expect(giving).rejects.toMatchObject({ code: 'timed_out' });
      await runtime.dropInput(one);
    });
  });
}

function sha256(bytes: Buffer | undefined): string {
  return createHash('sha256')
    .update(bytes ?? '')
    .digest('hex');
}
