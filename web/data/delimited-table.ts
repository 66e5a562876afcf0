// Reads the beginning of a table of comma, semicolon or tab separated values (RFC 4180, leniently). Bounded in rows,
// columns and characters of a cell, whatever the text is. Pure.

export const TABLE_BOUNDS = { rows: 200, columns: 60, cellChars: 400 } as const;

export interface DelimitedTable {
  /** The first row is taken for the heading. */
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Columns that are not shown. */
  readonly moreColumns: number;
  /** Whether rows follow that are not shown. */
  readonly hasMoreRows: boolean;
}

type Bounds = { readonly rows: number; readonly columns: number; readonly cellChars: number };

/** @param isWhole false when the text was cut: its last row may be half of one and is left out */
export function readTable(
  text: string,
  { separator, isWhole, bounds = TABLE_BOUNDS }: { separator: string; isWhole: boolean; bounds?: Bounds },
): DelimitedTable {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = '';
  let columns = 0;
  let widest = 0;
  let isQuoted = false;
  let at = text.startsWith('\ufeff') ? 1 : 0;
  const endCell = () => {
    if (columns < bounds.columns) row.push(cell);
    columns += 1;
    cell = '';
  };
  const endRow = () => {
    endCell();
    // A blank line is no row.
    if (columns > 1 || row[0] !== '') rows.push(row);
    widest = Math.max(widest, columns);
    row = [];
    columns = 0;
  };
  const add = (character: string) => {
    if (cell.length < bounds.cellChars) cell += character;
    else if (cell.length === bounds.cellChars) cell += '…';
  };
  for (; at < text.length && rows.length <= bounds.rows; at++) {
    const character = text.charAt(at);
    if (isQuoted) {
      if (character !== '"') add(character);
      else if (text.charAt(at + 1) === '"') {
        add('"');
        at += 1;
      } else isQuoted = false;
    } else if (character === '"' && cell === '') isQuoted = true;
    else if (character === separator) endCell();
    else if (character === '\n') endRow();
    else if (character === '\r') {
      if (text.charAt(at + 1) !== '\n') endRow();
    } else add(character);
  }
  const isAtEnd = at >= text.length;
  if (isAtEnd && isWhole && (cell !== '' || columns > 0)) endRow();
  const [head = [], ...body] = rows;
  return {
    head,
    rows: body.slice(0, bounds.rows),
    moreColumns: Math.max(0, widest - bounds.columns),
    hasMoreRows: !isAtEnd || !isWhole || body.length > bounds.rows,
  };
}

/** Of those in question the one that is most often in the first line outside of quotes. */
export function separatorOf(path: string, text: string): string {
  if (/\.(tsv|tab)$/i.test(path)) return '\t';
  const counts = new Map([
    [',', 0],
    [';', 0],
    ['\t', 0],
  ]);
  let isQuoted = false;
  for (const character of text.slice(0, 10_000)) {
    if (character === '"') isQuoted = !isQuoted;
    else if (isQuoted) continue;
    else if (character === '\n') break;
    else if (counts.has(character)) counts.set(character, (counts.get(character) ?? 0) + 1);
  }
  return [...counts].reduce((best, next) => (next[1] > best[1] ? next : best))[0];
}
