import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { carryAfter, cutPieces, piecesOf } from './ansi-text.ts';
import { plainText } from './plain-text.ts';
import { BOUNDS, fromHex, luminance } from './readable-colour.ts';

const ESC = '\u001b';
const bit = fc.constantFrom(
  ...['a', ' ', '<b>', '&amp;', '\t', '\r', 'ü', '🙂'],
  ...[
    `${ESC}[31m`,
    `${ESC}[0m`,
    `${ESC}[m`,
    `${ESC}[1;4;38;5;200m`,
    `${ESC}[48;2;1;2;3m`,
    `${ESC}[38:2::9:8:7m`,
  ],
  ...[
    `${ESC}[2K`,
    `${ESC}[3A`,
    `${ESC}]0;title\u0007`,
    ESC,
    `${ESC}[`,
    `${ESC}[999;`,
    '\b',
    '\u009b',
    '\u0000',
  ],
);
const line = fc.array(bit, { maxLength: 12 }).map((bits) => bits.join(''));
const text = (pieces: readonly { readonly text: string }[]) => pieces.map((piece) => piece.text).join('');

describe('output with styles', () => {
  it('says the same as plain text, whatever comes', () => {
    fc.assert(
      fc.property(line, (given) => {
        expect(text(piecesOf(given))).toBe(plainText(given));
      }),
    );
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (given) => {
        expect(text(piecesOf(given))).toBe(plainText(given));
      }),
    );
  });

  it('has no control left but tabs', () => {
    fc.assert(
      fc.property(line, (given) => {
        // biome-ignore lint/suspicious/noControlCharactersInRegex: that is the point.
        expect(plainText(given)).not.toMatch(/[\u0000-\u0008\u000a-\u001f\u007f-\u009f]/);
      }),
    );
  });

  it('reads as if all lines were one', () => {
    fc.assert(
      fc.property(line, line, (one, other) => {
        // An escape that is cut by the end of its line is none.
        // biome-ignore lint/suspicious/noControlCharactersInRegex: that is the point.
        fc.pre(!one.includes('\r') && !other.includes('\r') && !/\u001b(\[[0-?]*[ -/]*)?$/.test(one));
        fc.pre(!one.endsWith('\u009b'));
        const carry = carryAfter(one, '');
        const styled = (given: ReturnType<typeof piecesOf>) =>
          given.flatMap((piece) => [...piece.text].map((char) => ({ ...piece, text: char })));
        const apart = [...styled(piecesOf(one)), ...styled(piecesOf(other, carry))];
        const order = (one: { styles: readonly string[] }) => ({ ...one, styles: [...one.styles].sort() });
        expect(apart.map(order)).toEqual(styled(piecesOf(one + other)).map(order));
      }),
    );
  });

  it('knows colours by name, by number and as they are', () => {
    expect(piecesOf(`${ESC}[1;31mno${ESC}[0m yes`)).toEqual([
      { text: 'no', colour: 'var(--ansi-red)', ground: null, styles: ['bold'] },
      { text: ' yes', colour: null, ground: null, styles: [] },
    ]);
    expect(piecesOf(`${ESC}[94;103mx`)).toMatchObject([
      { colour: 'var(--ansi-bright-blue)', ground: 'var(--ansi-bright-yellow-ground)' },
    ]);
    expect(piecesOf(`${ESC}[38;5;9mx`)).toMatchObject([{ colour: 'var(--ansi-bright-red)' }]);
    expect(piecesOf(`${ESC}[38;5;196mx`)[0]?.colour).toMatch(/^light-dark\(#[\da-f]{6}, #[\da-f]{6}\)$/);
    expect(piecesOf(`${ESC}[38;2;0;0;80mx`)[0]?.colour).toMatch(/^light-dark\(#000050, /);
    expect(piecesOf(`${ESC}[38:2::0:0:80mx`)).toEqual(piecesOf(`${ESC}[38;2;0;0;80mx`));
    expect(piecesOf(`${ESC}[38;5;999mx`)).toMatchObject([{ colour: null }]);
    expect(piecesOf(`${ESC}[7mx`)).toMatchObject([{ colour: 'var(--sunken)', ground: 'var(--ink)' }]);
  });

  it('heeds a reset where it stands', () => {
    expect(piecesOf(`${ESC}[31;0mx`)).toMatchObject([{ colour: null }]);
    expect(piecesOf(`${ESC}[1;22mx`)).toMatchObject([{ styles: [] }]);
    expect(piecesOf(`${ESC}[31mx${ESC}[my`)[1]).toMatchObject({ colour: null });
  });

  it('goes on in the next line until it is reset', () => {
    const carry = carryAfter(`${ESC}[1;38;2;1;2;3;48;5;20mx`, '');
    expect(piecesOf('y', carry)).toEqual([{ ...piecesOf(`${ESC}[1;38;2;1;2;3;48;5;20my`)[0], text: 'y' }]);
    expect(carryAfter('plain', carry)).toBe(carry);
    expect(carryAfter(`done${ESC}[0m`, carry)).toBe('');
  });

  it('shows the last drawing of a line, in the colours that were on', () => {
    expect(piecesOf(`${ESC}[32m10%\r50%\r`)).toEqual([
      { text: '50%', colour: 'var(--ansi-green)', ground: null, styles: [] },
    ]);
  });

  it('is cut where finds begin and end', () => {
    const pieces = piecesOf(`ab${ESC}[31mcd${ESC}[0mef`);
    expect(cutPieces(pieces, [[1, 5]]).map((piece) => [piece.text, piece.range])).toEqual([
      ['a', -1],
      ['b', 0],
      ['cd', 0],
      ['e', 0],
      ['f', -1],
    ]);
    expect(
      cutPieces(pieces, [
        [0, 1],
        [1, 2],
        [5, 6],
      ]).map((piece) => [piece.text, piece.range]),
    ).toEqual([
      ['a', 0],
      ['b', 1],
      ['cd', -1],
      ['e', -1],
      ['f', 2],
    ]);
    expect(cutPieces(pieces, []).map((piece) => piece.text)).toEqual(['ab', 'cd', 'ef']);
  });

  it('has colours for names that can be read on each other, in the light and in the dark', () => {
    const css = readFileSync(new URL('../../styles/page.css', import.meta.url), 'utf8');
    const tokens = [...css.matchAll(/--ansi-([a-z-]+): light-dark\((#[\da-f]{6}), (#[\da-f]{6})\)/g)];
    expect(tokens).toHaveLength(32);
    for (const [, name = '', light = '', dark = ''] of tokens) {
      const part = name.endsWith('-ground') ? 'ground' : 'text';
      for (const [theme, value] of [
        ['light', light],
        ['dark', dark],
      ] as const) {
        const found = luminance(fromHex(value)!);
        expect(found, `${name} ${theme}`).toBeGreaterThanOrEqual(BOUNDS[theme][part].least);
        expect(found, `${name} ${theme}`).toBeLessThanOrEqual(BOUNDS[theme][part].most);
      }
    }
  });
});
