// Rows of comma-separated columns, as the published traces have them: no quotes, empty where something is not known. Pure.

/** Null where the column is empty or no number. */
export function numberIn(columns: readonly string[], at: number): number | null {
  const text = columns[at]?.trim() ?? '';
  if (text === '') return null;
  const value = Number(text);
  return Number.isFinite(value) ? value : null;
}

export function textIn(columns: readonly string[], at: number): string {
  return columns[at]?.trim() ?? '';
}

export interface Table {
  readonly name: string;
  /** How many columns it has. */
  readonly columns: number;
  /** Those that must hold numbers, by what they are called. */
  readonly numbers: Readonly<Record<string, number>>;
}

/** The columns of a row, or what is wrong with it. */
export function readRow(line: string, { name, columns: many, numbers }: Table): readonly string[] | string {
  const columns = line.split(',');
  if (columns.length !== many) return `it has ${columns.length} columns, and ${name} has ${many}`;
  const missing = firstWithout(columns, numbers);
  return missing === null ? columns : `"${missing}" is no number`;
}

/** The first of the named columns that holds no number; null when all do. */
export function firstWithout(
  columns: readonly string[],
  names: Readonly<Record<string, number>>,
): string | null {
  for (const [name, at] of Object.entries(names)) if (numberIn(columns, at) === null) return name;
  return null;
}

/** `n tasks` or `1 task`, with what is true of them. */
export function countText(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
