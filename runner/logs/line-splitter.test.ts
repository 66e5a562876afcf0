// However the bytes are cut, the lines are the same: what a terminal would show of them at each line end.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineSplitter, LONG_LINE } from './line-splitter.ts';
import { createSecretMask, MASK } from './secret-mask.ts';

const ESC = '\u001b';

function maskOf(...secrets: string[]) {
  const env = Object.fromEntries(secrets.map((value, n) => [`S${n}`, value]));
  return createSecretMask({ env, secrets: Object.keys(env) });
}

/** Bytes of what is in reach. */
function heapInUse(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  return process.memoryUsage().heapUsed;
}

interface Piece {
  readonly line: string;
  readonly more: boolean;
}

function pieces(chunks: readonly Buffer[], secrets: readonly string[] = []): Piece[] {
  const found: Piece[] = [];
  const splitter = new LineSplitter((line, more) => found.push({ line, more }), maskOf(...secrets));
  for (const chunk of chunks) splitter.push(chunk);
  splitter.end();
  return found;
}

/** The lines of a text; each piece of a long one for itself. */
const split = (text: string, secrets: readonly string[] = []): string[] =>
  pieces([Buffer.from(text)], secrets).map(({ line }) => line);

/** Whole lines: pieces of long ones put together. */
function join(found: readonly Piece[]): string[] {
  const lines: string[] = [];
  let begun = '';
  for (const { line, more } of found) {
    begun += line;
    if (more) continue;
    lines.push(begun);
    begun = '';
  }
  expect(begun).toBe('');
  return lines;
}

function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const places = [...new Set(at.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...places].map((from, n) => bytes.subarray(from, places[n] ?? bytes.length));
}

/** The rule for short lines in its simplest form: cells that are written over. */
function linesOfTerminal(text: string): string[] {
  const lines = text.split('\n').map((line) => {
    let cells: string[] = [];
    for (const segment of line.split('\r')) {
      // Such text has colours only around a whole segment.
      const isColoured = segment.startsWith(`${ESC}[3`);
      const clears = segment.startsWith(`${ESC}[K`) || segment.startsWith(`${ESC}[2K`);
      const visible = clears ? segment.slice(segment.indexOf('K') + 1) : segment;
      if (clears || isColoured || (visible !== '' && cells[0]?.startsWith(ESC))) cells = [];
      if (isColoured) cells = [segment];
      else for (const [n, cell] of [...visible].entries()) cells[n] = cell;
    }
    return cells.join('');
  });
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

const piece = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('a', 'b', ' ') },
  { weight: 5, arbitrary: fc.constantFrom('\n', '\r', '\r\n', '\r\r\n') },
  { weight: 2, arbitrary: fc.constantFrom('é', '語', '😀') },
  { weight: 2, arbitrary: fc.constantFrom(`${ESC}[K`, `\r${ESC}[2K`, `${ESC}[31m`, `${ESC}[0m`) },
  { weight: 1, arbitrary: fc.constantFrom('x'.repeat(LONG_LINE - 1), '😀'.repeat(LONG_LINE / 2), 'secret') },
);
const text = fc.array(piece, { maxLength: 40 }).map((parts) => parts.join(''));
const places = fc.array(fc.nat(), { maxLength: 12 });

describe('splitting output into lines', () => {
  it('gives the same lines for every way to cut the bytes, invalid ones included', () => {
    const bytes = fc.oneof(
      text.map((t) => Buffer.from(t)),
      fc.uint8Array({ maxLength: 300 }).map((all) => Buffer.from(all)),
    );
    fc.assert(
      fc.property(bytes, places, fc.constantFrom([], ['secret', 'aaba']), (all, at, secrets) => {
        expect(pieces(cut(all, at), secrets)).toEqual(pieces([all], secrets));
      }),
      { numRuns: 1_000 },
    );
  });

  it('gives the same lines byte by byte', () => {
    fc.assert(
      fc.property(
        text.filter((t) => t.length < 1_000),
        (t) => {
          const all = Buffer.from(t);
          expect(pieces([...all].map((byte) => Buffer.from([byte])))).toEqual(pieces([all]));
        },
      ),
    );
  });

  it('shows at each line end what a terminal would', () => {
    const segment = fc
      .tuple(
        fc.constantFrom('', '', '', `${ESC}[K`, `${ESC}[2K`, `${ESC}[31m`),
        fc.string({ unit: fc.constantFrom('a', 'b', 'c', '語', '😀'), minLength: 1, maxLength: 6 }),
      )
      .map(([before, shown]) => before + shown);
    const ends = fc.constantFrom('\r', '\r', '\n', '\r\n', '\r\r\n');
    const drawn = fc
      .array(fc.tuple(fc.option(segment, { nil: '' }), ends), { maxLength: 20 })
      .map((all) => all.flat().join(''))
      // A line that was never redrawn keeps even what clears nothing.
      .filter((t) => !t.split('\n').some((line) => line.startsWith(ESC) && !line.includes('\r')));
    fc.assert(
      fc.property(drawn, places, (all, at) => {
        expect(join(pieces(cut(Buffer.from(all), at)))).toEqual(linesOfTerminal(all));
      }),
      { numRuns: 1_000 },
    );
  });

  it('loses no text where nothing is redrawn', () => {
    fc.assert(
      fc.property(text, places, (drawn, at) => {
        const all = drawn.replaceAll('\r', '');
        const expected = all.split('\n');
        if (expected.at(-1) === '') expected.pop();
        expect(join(pieces(cut(Buffer.from(all), at)))).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });

  it('takes \\n, \\r\\n and \\r\\r\\n as ends, and makes the last text a line', () => {
    expect(split('one\r\ntwo\n\nthree\r\r\n\r\nend')).toEqual(['one', 'two', '', 'three', '', 'end']);
    expect(split('one\n')).toEqual(['one']);
    expect(split('one\r')).toEqual(['one']);
    expect(split('\r')).toEqual([]);
    expect(split('')).toEqual([]);
    expect(pieces([Buffer.from('one\r'), Buffer.from('\ntwo')]).map(({ line }) => line)).toEqual([
      'one',
      'two',
    ]);
  });

  it('shows a line that was redrawn as it is at its end', () => {
    expect(split('abcdef\rXY\n')).toEqual(['XYcdef']);
    expect(split('10%\r20%\r100%\ndone\n')).toEqual(['100%', 'done']);
    expect(split(`a long one\r${ESC}[Kshort\r\n`)).toEqual(['short']);
    expect(split(`${ESC}[32m10%${ESC}[0m\r${ESC}[32m20%${ESC}[0m\n`)).toEqual([`${ESC}[32m20%${ESC}[0m`]);
    expect(split('10%\r20%')).toEqual(['20%']);
  });

  it('puts a character together that two chunks share', () => {
    const bytes = Buffer.from('grüße 😀\n');
    expect(pieces([...bytes].map((byte) => Buffer.from([byte])))).toEqual([
      { line: 'grüße 😀', more: false },
    ]);
  });
});

describe('long lines', () => {
  it('come in pieces, each but the last marked', () => {
    const found = pieces([Buffer.from(`${'x'.repeat(LONG_LINE * 2 + 5)}\nnext\n`)]);
    expect(found.map(({ line, more }) => [line.length, more])).toEqual([
      [LONG_LINE, true],
      [LONG_LINE, true],
      [5, false],
      [4, false],
    ]);
    for (const end of ['\n', '\r\n', '']) {
      expect(pieces([Buffer.from(`${'x'.repeat(LONG_LINE)}${end}`)])).toEqual([
        { line: 'x'.repeat(LONG_LINE), more: false },
      ]);
    }
  });

  it('end with a return, for what is out cannot be redrawn', () => {
    const long = 'x'.repeat(LONG_LINE + 5);
    for (const [end, after] of [
      ['\rnext\n', ['next']],
      ['\r\nnext\n', ['next']],
      ['\r\r\n\n', ['']],
      ['\r', []],
      ['\r\r1%\r2%\n', ['2%']],
    ] as const) {
      const lines = join(pieces([Buffer.from(`short\r${long}${end}`)]));
      expect(lines, JSON.stringify(end)).toEqual([long, ...after]);
    }
  });

  it('are not held, however long they are', () => {
    let seen = 0;
    const splitter = new LineSplitter(() => {
      seen += 1;
    }, maskOf());
    for (let n = 0; n < 100; n += 1) splitter.push(Buffer.alloc(LONG_LINE, 'x'));
    expect(seen).toBeGreaterThanOrEqual(98);
    expect(splitter.unfinished.length).toBeLessThanOrEqual(2 * LONG_LINE);
  });

  it('are never cut through a secret, nor through several that overlap', () => {
    fc.assert(
      fc.property(fc.integer({ min: LONG_LINE - 20, max: LONG_LINE + 20 }), places, (before, at) => {
        const all = Buffer.from(`${'x'.repeat(before)}hunter2-hunter2-token${'y'.repeat(50)}\n`);
        const lines = join(pieces(cut(all, at), ['hunter2-hunter2', 'ter2-token']));
        expect(lines).toEqual([`${'x'.repeat(before)}${MASK}${'y'.repeat(50)}`]);
      }),
    );
  });
});

describe('a line that has no end yet', () => {
  const unfinished = (...chunks: string[]): string => {
    const splitter = new LineSplitter(() => undefined, maskOf('hunter2'));
    for (const chunk of chunks) splitter.push(Buffer.from(chunk));
    expect(splitter.isUnfinished).toBe(splitter.unfinished !== '');
    return splitter.unfinished;
  };

  it('is shown as a terminal shows it', () => {
    expect(unfinished('one\ntwo')).toBe('two');
    expect(unfinished('10%\r', '20%')).toBe('20%');
    expect(unfinished('abcdef\r', 'X')).toBe('Xbcdef');
    expect(unfinished('abcdef\r')).toBe('abcdef');
    expect(unfinished('abcdef\n')).toBe('');
    expect(unfinished('abcdef\r\n')).toBe('');
    expect(unfinished('red', `${ESC}[3`)).toBe('red');
    expect(unfinished('name: ', 'hun', 'ter2')).toBe(`name: ${MASK}`);
  });

  it('that is redrawn for ever is not held, and costs what it is long', () => {
    const lines: string[] = [];
    const splitter = new LineSplitter((line) => lines.push(line), maskOf());
    splitter.push(Buffer.from('x'.repeat(LONG_LINE - 1)));
    // With a copy of the line for each redraw 64 GB would be moved, which the deadline of a test does not allow.
    const chunk = Buffer.from('\ry'.repeat(40_000));
    for (let n = 0; n < 100; n += 1) splitter.push(chunk);
    expect(splitter.unfinished).toBe(`y${'x'.repeat(LONG_LINE - 2)}`);
    splitter.push(Buffer.from('\n'));
    expect(lines).toEqual([`y${'x'.repeat(LONG_LINE - 2)}`]);
  });
});

describe('a line that is redrawn shorter and shorter', () => {
  it('is held once, not in all its states', () => {
    const splitter = new LineSplitter(() => undefined, maskOf());
    const before = heapInUse();
    for (let width = LONG_LINE - 1; width > 0; width -= 1) {
      splitter.push(Buffer.from(`\r${'x'.repeat(width)}`));
    }
    // All states together are 134 MB.
    expect(heapInUse() - before).toBeLessThan(20_000_000);
    expect(splitter.unfinished).toBe('x'.repeat(LONG_LINE - 1));
  });
});

describe('secrets', () => {
  it('are hidden when they come in several chunks', () => {
    const bytes = Buffer.from('key: hunter2!\n');
    fc.assert(
      fc.property(places, (at) => {
        expect(pieces(cut(bytes, at), ['hunter2'])).toEqual([{ line: `key: ${MASK}!`, more: false }]);
      }),
    );
  });

  it('are hidden before something is written over their start', () => {
    expect(split('hunter2\rXX\n', ['hunter2'])).toEqual([`XX${MASK.slice(2)}`]);
    expect(split(`hunter2\r${ESC}[31mXX\n`, ['hunter2'])).toEqual([`${ESC}[31mXX`]);
  });

  it('are hidden when they come together by what is written over', () => {
    expect(split('XXnter2\rhu\n', ['hunter2'])).toEqual([MASK]);
    expect(split(`x\rhun${ESC}[Kter2\n`, ['hunter2'])).toEqual([MASK]);
  });
});
