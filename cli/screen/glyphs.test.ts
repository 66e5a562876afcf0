import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { displayWidth } from '../table.ts';
import { bar, lineOf, paintShare, pieceWidth, speaksUnicode } from './glyphs.ts';

const ascii = { unicode: false };

describe('a bar', () => {
  it('has the width it was given, and grows with its share', () => {
    fc.assert(
      fc.property(
        fc.double({ min: -1, max: 2 }),
        fc.double({ min: 0, max: 1 }),
        fc.nat(40),
        (a, more, width) => {
          const filled = (share: number) => bar(share, width, ascii).replaceAll('-', '').length;
          expect(bar(a, width, ascii)).toHaveLength(width);
          expect(displayWidth(bar(a, width, { unicode: true }))).toBe(width);
          if (!Number.isNaN(a) && !Number.isNaN(more))
            expect(filled(a + more)).toBeGreaterThanOrEqual(filled(a));
        },
      ),
    );
  });

  it('is empty for nothing and full for all, and neither for what lies between', () => {
    expect(bar(0, 4, ascii)).toBe('----');
    expect(bar(0.001, 4, ascii)).toBe('#---');
    expect(bar(0.999, 4, ascii)).toBe('###-');
    expect(bar(1, 4, ascii)).toBe('####');
    expect(bar(Number.NaN, 4, ascii)).toBe('----');
    expect(bar(0.5, 4, { unicode: true })).toBe('██░░');
  });
});

describe('the terminal', () => {
  it('gets other characters than ASCII only when it says that it has them', () => {
    expect(speaksUnicode({ LANG: 'de_DE.UTF-8' })).toBe(true);
    expect(speaksUnicode({ LANG: 'C.utf8', LC_ALL: '' })).toBe(true);
    expect(speaksUnicode({ LANG: 'de_DE.UTF-8', LC_ALL: 'C' })).toBe(false);
    expect(speaksUnicode({ LANG: 'de_DE.UTF-8', TERM: 'linux' })).toBe(false);
    expect(speaksUnicode({})).toBe(false);
  });

  it('is coloured only when it may be', () => {
    expect(paintShare(0.99, { color: true })('x')).toBe('\x1b[31mx\x1b[39m');
    expect(paintShare(0.99, { color: false })('x')).toBe('x');
  });
});

describe('a line', () => {
  const red = { text: 'red', paint: (text: string) => `<${text}>` };

  it('is cut to the columns, its colours closed', () => {
    expect(lineOf(['ab ', red], 10)).toBe('ab <red>');
    expect(lineOf(['ab ', red, 'more'], 5)).toBe('ab <r…>');
    expect(lineOf(['abc', red], 3)).toBe('abc');
    expect(pieceWidth(['ab ', red])).toBe(6);
  });

  it('carries nothing that steers a terminal', () => {
    expect(lineOf([' a\x1b[2Jb\n ', '\x07'], 20)).toBe(' a [2Jb ');
  });
});
