import { describe, expect, it } from 'vitest';
import type { CliIo } from '../io.ts';
import { ProgressLine } from './progress-line.ts';

function makeIo(over: Partial<CliIo> = {}): { io: CliIo; written: string[]; pass: (ms: number) => void } {
  const written: string[] = [];
  let now = 1_000_000;
  const io: CliIo = {
    out: async () => undefined,
    err: async (text) => void written.push(text),
    env: {},
    columns: null,
    color: false,
    progress: true,
    interactive: false,
    signal: new AbortController().signal,
    ask: async () => '',
    readInput: async () => '',
    now: () => now,
    ...over,
  };
  return {
    io,
    written,
    pass: (ms) => {
      now += ms;
    },
  };
}

const total = { shown: true, files: 1, bytes: 1_000_000 };

describe('the line of a transfer', () => {
  it('is drawn ten times a second at most, in one line that fits, and is gone at the end', async () => {
    const { io, written, pass } = makeIo({ progressColumns: 40 });
    const line = new ProgressLine(io, total);
    for (let n = 0; n < 1_000; n += 1) {
      line.addBytes(1_000);
      pass(1);
    }
    expect(written).toHaveLength(10);
    for (const text of written) expect(text).toMatch(/^\r[^\n\r]{1,39}$/);
    await line.end();
    expect(written.at(-1)).toMatch(/^\r +\r$/);
    await line.end();
    expect(written).toHaveLength(11);
  });

  it('makes room for remarks, whatever they hold', async () => {
    const { io, written } = makeIo();
    const line = new ProgressLine(io, total);
    line.addBytes(1);
    await line.note('a \x1b[31mremark');
    expect(written.slice(1)).toEqual([
      expect.stringMatching(/^\r +\r$/),
      expect.stringMatching(/^a .*remark\n$/),
    ]);
    expect(written.at(-1)).not.toContain('\x1b');
  });

  it.each<[string, Partial<CliIo>, boolean]>([
    ['no terminal', { progress: false }, true],
    ['a reader that wants none', {}, false],
  ])('is not there for %s', async (_what, world, shown) => {
    const { io, written } = makeIo(world);
    const line = new ProgressLine(io, { ...total, shown });
    line.addBytes(5);
    line.step('joining');
    line.addFile();
    await line.end();
    expect(written).toEqual([]);
  });
});
