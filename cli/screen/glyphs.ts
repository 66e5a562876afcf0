// Bars and lines that fit their columns, in characters the terminal has. Pure.

import picocolors from 'picocolors';
import { cutTo, displayWidth, plain } from '../table.ts';
import type { Paint } from '../words.ts';

/** What a terminal can show. */
export interface Look {
  readonly color: boolean;
  /** False: ASCII alone. */
  readonly unicode: boolean;
}

/** As locale and terminal say; what they do not say is taken for ASCII. */
export function speaksUnicode(env: Readonly<Record<string, string | undefined>>): boolean {
  if (env.TERM === 'linux') return false;
  return /utf-?8/i.test(env.LC_ALL || env.LC_CTYPE || env.LANG || '');
}

/**
 * `width` characters. Only nothing looks empty and only all of it looks full: a share between has at least one cell
 * of each.
 */
export function bar(share: number, width: number, { unicode }: Pick<Look, 'unicode'>): string {
  if (width < 1) return '';
  const known = Number.isFinite(share) ? Math.min(1, Math.max(0, share)) : 0;
  const least = known > 0 ? 1 : 0;
  const most = known < 1 && width > 1 ? width - 1 : width;
  const full = Math.min(most, Math.max(least, Math.round(known * width)));
  const [one, none] = unicode ? ['█', '░'] : ['#', '-'];
  return one.repeat(full) + none.repeat(width - full);
}

/** Of two amounts; nothing of nothing is nothing. */
export const share = (part: number, whole: number): number => (whole > 0 ? part / whole : 0);

const HIGH = 0.75;
const FULL = 0.92;

/** Green, yellow when there is little left, red when there is next to nothing. */
export function paintShare(part: number, look: Pick<Look, 'color'>): Paint {
  return paintWith(part >= FULL ? 'red' : part >= HIGH ? 'yellow' : 'green', look);
}

export function paintWith(
  style: 'bold' | 'dim' | 'red' | 'yellow' | 'green',
  { color }: Pick<Look, 'color'>,
): Paint {
  return picocolors.createColors(color)[style];
}

/** Text of one colour within a line. */
export type Piece = string | { readonly text: string; readonly paint: Paint };

const textOf = (piece: Piece) => (typeof piece === 'string' ? piece : piece.text);

export function pieceWidth(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, piece) => sum + displayWidth(textOf(piece)), 0);
}

/** Pieces in a row, cut to the columns. What came over the wire is made harmless here; spaces at the ends stay. */
export function lineOf(pieces: readonly Piece[], columns: number): string {
  let room = columns;
  let line = '';
  for (const piece of pieces) {
    const text = harmless(textOf(piece));
    if (text === '' || room <= 0) continue;
    const cut = cutTo(text, room);
    line += typeof piece === 'string' ? cut : piece.paint(cut);
    room = cut === text ? room - displayWidth(cut) : 0;
  }
  return line;
}

function harmless(text: string): string {
  const inner = plain(text);
  if (inner === '') return text.replaceAll(/[^ ]/g, '');
  const [before = ''] = /^ */.exec(text) ?? [];
  const [after = ''] = / *$/.exec(text) ?? [];
  return before + inner + after;
}

/** The first of these that fits, or the last. */
export function fitting<T>(choices: readonly T[], fits: (choice: T) => boolean): T {
  const last = choices.at(-1);
  if (last === undefined) throw new Error('there is nothing to choose from');
  return choices.find(fits) ?? last;
}
