// Tables that fit the terminal. Pure; text that came over the wire is made harmless for a terminal here.

import stringWidth from 'string-width';

export interface Column<Row> {
  readonly title: string;
  readonly cell: (row: Row) => string;
  readonly align?: 'left' | 'right';
  /** May be cut with `…` down to this many columns. Without it the column is never cut. */
  readonly min?: number;
  /** May be left out altogether when there is no room; the highest number goes first. */
  readonly dispensable?: number;
  /** The column that this one goes on with: its title stands here when it is left out itself. */
  readonly goesOn?: Column<Row>;
  /** Wraps a finished cell in colour. */
  readonly paint?: (text: string, row: Row) => string;
}

const GAP = 2;

/** `width` null means no limit. Lines end in a newline; an empty list is the heading only. */
export function renderTable<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  width: number | null,
): string {
  const kept = [...columns];
  const titleOf = ({ title, goesOn }: Column<Row>): string =>
    goesOn === undefined || kept.includes(goesOn) ? title : titleOf(goesOn);
  const content = new Map(
    columns.map((column) => [
      column,
      Math.max(0, ...rows.map((row) => displayWidth(plain(column.cell(row))))),
    ]),
  );
  const natural = (column: Column<Row>) => Math.max(displayWidth(titleOf(column)), content.get(column) ?? 0);
  const least = (column: Column<Row>) =>
    Math.min(natural(column), Math.max(column.min ?? Number.POSITIVE_INFINITY, 1));
  const room = width ?? Number.POSITIVE_INFINITY;
  const sum = (of: (column: Column<Row>) => number) =>
    kept.reduce((total, column) => total + of(column), 0) + GAP * (kept.length - 1);
  while (sum(least) > room) {
    const goes = kept
      .filter(({ dispensable }) => dispensable !== undefined)
      .sort((a, b) => (b.dispensable ?? 0) - (a.dispensable ?? 0))[0];
    if (!goes) break;
    kept.splice(kept.indexOf(goes), 1);
  }
  const widths = new Map(kept.map((column) => [column, natural(column)]));
  for (let over = sum((column) => widths.get(column) ?? 0) - room; over > 0; over--) {
    // The widest of those that may shrink gives one column, so that none is cut to nothing for another.
    const widest = kept
      .filter((column) => (widths.get(column) ?? 0) > least(column))
      .sort((a, b) => (widths.get(b) ?? 0) - (widths.get(a) ?? 0))[0];
    if (!widest) break;
    widths.set(widest, (widths.get(widest) ?? 0) - 1);
  }

  const line = (cells: (column: Column<Row>, last: boolean) => string) =>
    `${kept
      .map((column, index) => cells(column, index === kept.length - 1))
      .join(' '.repeat(GAP))
      .trimEnd()}\n`;
  const place = (text: string, column: Column<Row>, last: boolean, paint = (cell: string) => cell) => {
    const size = widths.get(column) ?? 0;
    const cut = cutTo(text, size);
    const space = ' '.repeat(Math.max(0, size - displayWidth(cut)));
    if (column.align === 'right') return space + paint(cut);
    return last ? paint(cut) : paint(cut) + space;
  };
  return [
    // Spaces at its end only make the column wide.
    line((column, last) => place(titleOf(column).trimEnd(), column, last)),
    ...rows.map((row) =>
      line((column, last) =>
        place(plain(column.cell(row)), column, last, (cell) => column.paint?.(cell, row) ?? cell),
      ),
    ),
  ].join('');
}

/** One line without control characters: what a name or message holds must not steer the terminal. */
export function plain(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ').trim();
}

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** Columns a terminal gives to the text. */
export function displayWidth(text: string): number {
  return stringWidth(text);
}

export function cutTo(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let kept = '';
  let used = 0;
  for (const { segment } of graphemes.segment(text)) {
    const more = displayWidth(segment);
    if (used + more > width - 1) break;
    kept += segment;
    used += more;
  }
  return `${kept}…`;
}
