// What is in view after a program went back to the start of a line, against the rule in its simplest form.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RedrawnLine } from './redrawn-line.ts';

const ESC = '\u001b';

function draw(...segments: string[]): string {
  const line = new RedrawnLine();
  for (const segment of segments) line.write(segment);
  return line.text;
}

/** One cell after the other; only for text without escape sequences, and clears at the start of it. */
function drawCells(segments: readonly string[]): string {
  let cells: string[] = [];
  for (const segment of segments) {
    const isClear = segment.startsWith(`${ESC}[K`);
    if (isClear) cells = [];
    for (const [n, cell] of [...(isClear ? segment.slice(3) : segment)].entries()) cells[n] = cell;
  }
  return cells.join('');
}

describe('a line that is redrawn', () => {
  it('shows what was written last, and behind it what it did not cover', () => {
    expect(draw('abcdef', 'XY')).toBe('XYcdef');
    expect(draw('10%', '100%')).toBe('100%');
    expect(draw('abcdef', '123', 'X')).toBe('X23def');
    expect(draw('abc', '')).toBe('abc');
    expect(draw('😀bc', 'X')).toBe('Xbc');
    expect(draw('abcd', '😀')).toBe('😀bcd');
  });

  it('is cleared by the sequences for it, which are not kept', () => {
    expect(draw('abcdef', `${ESC}[KXY`)).toBe('XY');
    expect(draw('abcdef', `${ESC}[0KXY`, 'Z')).toBe('ZY');
    expect(draw('abcdef', `${ESC}[2KXY`)).toBe('XY');
    expect(draw('abcdef', `XY${ESC}[K`)).toBe('XY');
    expect(draw(`abcdef${ESC}[2K`, 'XY')).toBe('XY');
    expect(draw('abcdef', `${ESC}[2K`)).toBe('');
    expect(draw('abcdef', `${ESC}[?25l${ESC}[K`)).toBe(`${ESC}[?25l`);
  });

  it('is replaced as a whole where colours are at play', () => {
    const red = `${ESC}[31mred${ESC}[0m`;
    expect(draw('abcdef', red)).toBe(red);
    expect(draw(`${red} and long`, 'XY')).toBe('XY');
    expect(draw(red, `${ESC}[32mgreen${ESC}[0m`)).toBe(`${ESC}[32mgreen${ESC}[0m`);
  });

  it('stays when only invisible sequences come', () => {
    expect(draw('100%', `${ESC}[?25h`)).toBe('100%');
    expect(draw(`${ESC}[0m`)).toBe(`${ESC}[0m`);
    expect(draw(`${ESC}[0m`, 'text')).toBe('text');
  });

  it('is what cells of a terminal would hold, settled at any time or not', () => {
    const segment = fc.oneof(
      fc.string({ unit: fc.constantFrom('a', 'b', '😀', 'é', ' '), maxLength: 8 }),
      fc.string({ unit: fc.constantFrom('x', 'y'), maxLength: 8 }).map((text) => `${ESC}[K${text}`),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(segment, fc.boolean()), { maxLength: 12 }), (writes) => {
        const line = new RedrawnLine();
        const done: string[] = [];
        for (const [text, settles] of writes) {
          expect(line.after(text)).toBe(drawCells([...done, text]));
          line.write(text);
          if (settles) line.settle();
          done.push(text);
          expect(line.text).toBe(drawCells(done));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('takes many small writes over a long line without copying it each time', () => {
    const line = new RedrawnLine();
    line.write('x'.repeat(64_000));
    // With a copy each time 128 GB would be moved, which the deadline of a test does not allow.
    for (let n = 0; n < 2_000_000; n += 1) line.write('y');
    expect(line.text).toBe(`y${'x'.repeat(63_999)}`);
  });
});
