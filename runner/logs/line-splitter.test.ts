// However the bytes are cut, the lines are the same, and nothing of the text is lost.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineSplitter, LONG_LINE } from './line-splitter.ts';

function split(chunks: readonly Buffer[], unbroken: readonly string[] = []): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line), unbroken);
  for (const chunk of chunks) splitter.push(chunk);
  splitter.end();
  return lines;
}

function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const places = [...new Set(at.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...places].map((from, n) => bytes.subarray(from, places[n] ?? bytes.length));
}

const char = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('a', 'b', ' ') },
  { weight: 3, arbitrary: fc.constantFrom('\n', '\r', '\r\n') },
  { weight: 2, arbitrary: fc.constantFrom('é', '語', '😀') },
  { weight: 1, arbitrary: fc.constantFrom('x'.repeat(LONG_LINE - 1), '😀'.repeat(LONG_LINE / 2), 'secret') },
);
const text = fc.array(char, { maxLength: 40 }).map((parts) => parts.join(''));
const places = fc.array(fc.nat(), { maxLength: 12 });

describe('splitting output into lines', () => {
  it('gives the same lines for every way to cut the bytes, invalid ones included', () => {
    const bytes = fc.oneof(
      text.map((t) => Buffer.from(t)),
      fc.uint8Array({ maxLength: 300 }).map((all) => Buffer.from(all)),
    );
    fc.assert(
      fc.property(bytes, places, fc.constantFrom([], ['secret', 'xa']), (all, at, unbroken) => {
        expect(split(cut(all, at), unbroken)).toEqual(split([all], unbroken));
      }),
      { numRuns: 500 },
    );
  });

  it('loses no text: pieces of a long line join, and lines join with their ends', () => {
    fc.assert(
      fc.property(text, places, (all, at) => {
        const expected = all.split('\n');
        if (expected.at(-1) === '') expected.pop();
        let whole = '';
        const joined: string[] = [];
        for (const line of split(cut(Buffer.from(all), at))) {
          whole += line;
          if (line.length >= LONG_LINE) continue;
          joined.push(whole);
          whole = '';
        }
        expect(whole).toBe('');
        const withoutReturn = (line: string, n: number) =>
          n < expected.length - 1 || all.endsWith('\n') ? line.replace(/\r$/, '') : line;
        // The \r of a line end that falls on a cut stays in the piece before it.
        const trim = (line: string) => (line.length >= LONG_LINE ? line.replace(/\r$/, '') : line);
        expect(joined.map(trim)).toEqual(expected.map(withoutReturn).map(trim));
      }),
      { numRuns: 500 },
    );
  });

  it('takes \\n and \\r\\n as ends, keeps a lone \\r, and makes the last text a line', () => {
    expect(split([Buffer.from('one\r\ntwo\n\n10%\r20%\nend')])).toEqual([
      'one',
      'two',
      '',
      '10%\r20%',
      'end',
    ]);
    expect(split([Buffer.from('one\n')])).toEqual(['one']);
    expect(split([])).toEqual([]);
  });

  it('puts a character together that two chunks share', () => {
    const bytes = Buffer.from('grüße 😀\n');
    expect(split([...bytes].map((byte) => Buffer.from([byte])))).toEqual(['grüße 😀']);
  });

  it('cuts long lines and marks each piece but the last by its length', () => {
    const lines = split([Buffer.from(`${'x'.repeat(LONG_LINE * 2 + 5)}\nnext\n`)]);
    expect(lines.map(({ length }) => length)).toEqual([LONG_LINE, LONG_LINE, 5, 4]);
    expect(split([Buffer.from(`${'x'.repeat(LONG_LINE)}\n`)]).map(({ length }) => length)).toEqual([
      LONG_LINE,
      0,
    ]);
  });

  it('does not hold more than a piece of an endless line', () => {
    let seen = 0;
    const splitter = new LineSplitter(() => {
      seen += 1;
    });
    for (let n = 0; n < 100; n += 1) splitter.push(Buffer.alloc(LONG_LINE, 'x'));
    expect(seen).toBeGreaterThanOrEqual(99);
  });

  it('never cuts through a text that is to stay whole', () => {
    fc.assert(
      fc.property(fc.integer({ min: LONG_LINE - 20, max: LONG_LINE + 20 }), places, (before, at) => {
        const all = Buffer.from(`${'x'.repeat(before)}hunter2-hunter2${'y'.repeat(50)}\n`);
        expect(
          split(cut(all, at), ['hunter2-hunter2']).some((line) => line.includes('hunter2-hunter2')),
        ).toBe(true);
      }),
    );
  });
});
