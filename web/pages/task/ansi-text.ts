// What a program printed, as pieces of text with the styles it chose. Never markup: pieces are text and names of styles.
// A style that is left on goes on in the next line of its stream, so each line has the styles it begins with ("carry").
// Pure.

import {
  type Color,
  createAnsiSequenceParser,
  createColorPalette,
  type ParseToken,
} from 'ansi-sequence-parser';
import { plainText, withoutControl } from './plain-text.ts';
import { fromHex, hex, type Part, type Rgb, readable } from './readable-colour.ts';

export interface Piece {
  readonly text: string;
  /** CSS colours; null for those of the page. */
  readonly colour: string | null;
  readonly ground: string | null;
  /** Names of classes: bold, dim, italic, underline, struck, over. */
  readonly styles: readonly string[];
}

const ESC = '\u001b';
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
const SEQUENCE = /\u001b\[([\d;:]*)m/g;
const RESETS = new Set([`${ESC}[m`, `${ESC}[0m`]);
const STYLES: Readonly<Record<string, { readonly code: number; readonly name: string }>> = {
  bold: { code: 1, name: 'bold' },
  dim: { code: 2, name: 'dim' },
  italic: { code: 3, name: 'italic' },
  underline: { code: 4, name: 'underline' },
  reverse: { code: 7, name: '' },
  strikethrough: { code: 9, name: 'struck' },
  overline: { code: 53, name: 'over' },
};
const palette = createColorPalette();
const NAMES = [
  ...['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'],
  ...['brightBlack', 'brightRed', 'brightGreen', 'brightYellow', 'brightBlue', 'brightMagenta'],
  ...['brightCyan', 'brightWhite'],
];

/** The styles that are on after the line, as the sequences that set them; '' for none. */
export function carryAfter(line: string, carry: string): string {
  if (!line.includes(ESC)) return carry;
  const whole = prepared(line);
  const last = whole.lastIndexOf(ESC);
  if (last < 0) return carry;
  // Most lines end with a reset.
  if (RESETS.has(whole.slice(last, whole.indexOf('m', last) + 1))) return '';
  const end = createAnsiSequenceParser().parse(`${carry}${whole}x`).at(-1);
  return end ? sequencesOf(end) : '';
}

/** The line in pieces. Their texts together are `plainText(line)`. */
export function piecesOf(line: string, carry = ''): Piece[] {
  if (carry === '' && !line.includes(ESC)) {
    const text = plainText(line);
    return text === '' ? [] : [{ text, colour: null, ground: null, styles: [] }];
  }
  const parser = createAnsiSequenceParser();
  let drawn = parser.parse(carry + prepared(line));
  if (line.includes('\r')) drawn = lastDrawing(drawn);
  return drawn.map(pieceOf);
}

/** Pieces cut where ranges of their text begin and end; `inRange` tells which range a part is in, or -1. */
export function cutPieces(
  pieces: readonly Piece[],
  ranges: readonly (readonly [from: number, to: number])[],
): (Piece & { readonly range: number })[] {
  const parts: (Piece & { range: number })[] = [];
  let at = 0;
  let next = 0;
  for (const piece of pieces) {
    const end = at + piece.text.length;
    let from = at;
    while (from < end) {
      while (next < ranges.length && (ranges[next]?.[1] ?? 0) <= from) next += 1;
      const range = ranges[next];
      const inside = range !== undefined && range[0] <= from;
      const to = range === undefined ? end : Math.min(end, inside ? range[1] : range[0]);
      parts.push({ ...piece, text: piece.text.slice(from - at, to - at), range: inside ? next : -1 });
      from = to;
    }
    at = end;
  }
  return parts;
}

/** As the parser reads it: no other control, and one code in each sequence, for it takes resets before all others. */
function prepared(line: string): string {
  const bare = withoutControl(line, true);
  if (!bare.includes(ESC)) return bare;
  return bare.replaceAll(SEQUENCE, (_whole, codes: string) =>
    singles(codes)
      .map((code) => `${ESC}[${code}m`)
      .join(''),
  );
}

function singles(codes: string): string[] {
  const found: string[] = [];
  const parts = codes.split(';');
  for (let at = 0; at < parts.length; at += 1) {
    const part = parts[at] ?? '';
    const [code = '', kind = '', ...rest] = part.split(':');
    if (code !== '38' && code !== '48') {
      // None means 0; 4:3 is a kind of underline.
      found.push(String(Number(code)));
    } else if (part.includes(':')) {
      // 38:2::r:g:b has a place for a colour space.
      found.push([code, kind, ...(kind === '2' ? rest.slice(-3) : rest.slice(0, 1))].join(';'));
    } else {
      const length = parts[at + 1] === '2' ? 4 : 2;
      found.push(parts.slice(at, at + 1 + length).join(';'));
      at += length;
    }
  }
  return found;
}

/** What stands after the last return that something follows. */
function lastDrawing(tokens: readonly ParseToken[]): ParseToken[] {
  let drawing: ParseToken[] = [];
  let isNew = false;
  for (const token of tokens) {
    for (const [at, text] of token.value.split('\r').entries()) {
      if (at > 0) isNew = true;
      if (text === '') continue;
      if (isNew) drawing = [];
      isNew = false;
      drawing.push({ ...token, value: text });
    }
  }
  return drawing;
}

function pieceOf({ value, foreground, background, decorations }: ParseToken): Piece {
  let colour = foreground && cssColour(foreground, 'text');
  let ground = background && cssColour(background, 'ground');
  if (decorations.has('reverse')) {
    [colour, ground] = [ground ?? 'var(--sunken)', colour ?? 'var(--ink)'];
  }
  const styles = [...decorations].flatMap((name) => STYLES[name]?.name || []);
  return { text: value, colour, ground, styles };
}

function cssColour(colour: Color, part: Part): string | null {
  const name =
    colour.type === 'named' ? colour.name : colour.type === 'table' ? NAMES[colour.index] : undefined;
  if (name !== undefined) {
    const token = name.replace(/^bright/, 'bright-').toLowerCase();
    return `var(--ansi-${token}${part === 'ground' ? '-ground' : ''})`;
  }
  const rgb: Rgb | null = colour.type === 'rgb' ? colour.rgb : fromHex(palette.value(colour) ?? '');
  if (!rgb) return null;
  return `light-dark(${hex(readable(rgb, 'light', part))}, ${hex(readable(rgb, 'dark', part))})`;
}

function sequencesOf({ foreground, background, decorations }: ParseToken): string {
  const codes = [...decorations].flatMap((name) => STYLES[name]?.code ?? []).map(String);
  if (foreground) codes.push(colourCodes(foreground, 30));
  if (background) codes.push(colourCodes(background, 40));
  return codes.length === 0 ? '' : `${ESC}[${codes.join(';')}m`;
}

function colourCodes(colour: Color, base: number): string {
  switch (colour.type) {
    case 'named': {
      const index = NAMES.indexOf(colour.name);
      return String(index < 8 ? base + index : base + 60 + index - 8);
    }
    case 'table':
      return `${base + 8};5;${colour.index}`;
    case 'rgb':
      return `${base + 8};2;${colour.rgb.join(';')}`;
  }
}
