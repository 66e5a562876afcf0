import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LogStream } from '../../model/log-line.ts';
import { createFrameParser } from './frames.ts';

function frame(stream: LogStream, payload: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header[0] = stream === 'stdout' ? 1 : 2;
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
}

function read(chunks: readonly Buffer[]): Record<LogStream, Buffer> & { whole: boolean } {
  const parser = createFrameParser();
  const got: Record<LogStream, Buffer[]> = { stdout: [], stderr: [] };
  for (const chunk of chunks) for (const piece of parser.push(chunk)) got[piece.stream].push(piece.chunk);
  return {
    stdout: Buffer.concat(got.stdout),
    stderr: Buffer.concat(got.stderr),
    whole: parser.atBoundary(),
  };
}

const frames = fc.array(
  fc.record({
    stream: fc.constantFrom<LogStream>('stdout', 'stderr'),
    payload: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  }),
  { maxLength: 20 },
);

describe('frames of the engine', () => {
  it('give the same bytes per stream, however the bytes are cut', () => {
    fc.assert(
      fc.property(frames, fc.array(fc.integer({ min: 1, max: 17 }), { minLength: 1 }), (all, cuts) => {
        const bytes = Buffer.concat(all.map(({ stream, payload }) => frame(stream, payload)));
        const chunks: Buffer[] = [];
        for (let at = 0, n = 0; at < bytes.length; n += 1) {
          const size = cuts[n % cuts.length] ?? 1;
          chunks.push(bytes.subarray(at, at + size));
          at += size;
        }
        const want = (of: LogStream) =>
          Buffer.concat(all.filter(({ stream }) => stream === of).map(({ payload }) => payload));
        const got = read(chunks);
        expect(got.stdout).toEqual(want('stdout'));
        expect(got.stderr).toEqual(want('stderr'));
        expect(got.whole).toBe(true);
      }),
    );
  });

  it('keep the order of the streams within a chunk and join neighbours', () => {
    const bytes = Buffer.concat([
      frame('stdout', Buffer.from('a')),
      frame('stdout', Buffer.from('b')),
      frame('stderr', Buffer.from('c')),
      frame('stdout', Buffer.from('d')),
    ]);
    expect(createFrameParser().push(bytes)).toEqual([
      { stream: 'stdout', chunk: Buffer.from('ab') },
      { stream: 'stderr', chunk: Buffer.from('c') },
      { stream: 'stdout', chunk: Buffer.from('d') },
    ]);
  });

  it('survive a million small frames in one chunk', () => {
    const one = frame('stdout', Buffer.from('x'));
    const bytes = Buffer.alloc(one.length * 1_000_000);
    for (let n = 0; n < 1_000_000; n += 1) one.copy(bytes, n * one.length);
    expect(read([bytes]).stdout.length).toBe(1_000_000);
  });

  it('give a part of a frame at once', () => {
    const parser = createFrameParser();
    const bytes = frame('stderr', Buffer.from('hello'));
    expect(parser.push(bytes.subarray(0, 10))).toEqual([{ stream: 'stderr', chunk: Buffer.from('he') }]);
    expect(parser.atBoundary()).toBe(false);
    expect(parser.push(bytes.subarray(10))).toEqual([{ stream: 'stderr', chunk: Buffer.from('llo') }]);
    expect(parser.atBoundary()).toBe(true);
  });

  it('refuse what is not framed', () => {
    expect(() => createFrameParser().push(Buffer.from('hello world'))).toThrow(/not framed/);
  });
});
