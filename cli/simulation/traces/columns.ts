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
