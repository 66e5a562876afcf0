// The environment of a task as rows of a form: names, values, which are secret. Pure.

import type { ErrorDetail } from '../../../shared/errors.ts';

export interface EnvRow {
  readonly name: string;
  readonly value: string;
  readonly secret: boolean;
  /** The value was hidden from us: it has to be typed before the task can be submitted. */
  readonly asked: boolean;
}

/** Names whose values one would not show around. */
const SECRET_NAME = /(?:token|secret|passw(?:or)?d|passphrase|credential|private_?key|api_?key|access_?key)/i;

export function newRow(name = '', value = ''): EnvRow {
  return { name, value, secret: looksSecret(name), asked: false };
}

export function looksSecret(name: string): boolean {
  return SECRET_NAME.test(name);
}

/** @param masked what stands for a value that is not shown */
export function rowsOf(
  env: Readonly<Record<string, string>>,
  secrets: readonly string[],
  masked: string,
): EnvRow[] {
  return Object.entries(env).map(([name, value]) => {
    const secret = secrets.includes(name);
    const asked = secret && value === masked;
    return { name, value: asked ? '' : value, secret, asked };
  });
}

/** Rows without name and value count for nothing. Of two rows of one name the last one counts. */
export function envOf(rows: readonly EnvRow[]): { env: Record<string, string>; secrets: string[] } {
  const named = rows.filter((row) => !isEmpty(row));
  const entries = new Map(named.map((row) => [row.name.trim(), row]));
  return {
    env: Object.fromEntries([...entries].map(([name, { value }]) => [name, value])),
    secrets: [...entries].filter(([, { secret }]) => secret).map(([name]) => name),
  };
}

export function envFaults(rows: readonly EnvRow[]): ErrorDetail[] {
  const seen = new Set<string>();
  return rows.flatMap((row) => {
    if (isEmpty(row)) return [];
    const name = row.name.trim();
    const faults: string[] = [];
    if (name === '') faults.push('Each value needs a name');
    else if (seen.has(name)) faults.push(`${name} is there twice`);
    if (row.asked) faults.push(`Type the value of ${name} again: secrets are never handed out`);
    seen.add(name);
    return faults.map((message) => ({ field: `env.${name}`, message }));
  });
}

function isEmpty({ name, value, asked }: EnvRow): boolean {
  return name.trim() === '' && value === '' && !asked;
}

const LINE = /^\s*(?:export\s+)?([A-Za-z_]\w*)=(.*)$/;

/**
 * Lines as in .env files: `NAME=value`, with `export` before it, quotes around the value, comments and empty lines.
 * Null when any other line is among them, for then it is something else that was pasted.
 */
export function parseEnvLines(text: string): EnvRow[] | null {
  const rows: EnvRow[] = [];
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*(?:#.*)?$/.test(line)) continue;
    const [, name, value] = LINE.exec(line) ?? [];
    if (name === undefined || value === undefined) return null;
    rows.push(newRow(name, unquoted(value)));
  }
  return rows.length === 0 ? null : rows;
}

function unquoted(value: string): string {
  const bare = value.trim();
  if (/^'[^']*'$/.test(bare)) return bare.slice(1, -1);
  if (/^"(?:[^"\\]|\\.)*"$/.test(bare)) {
    return bare.slice(1, -1).replace(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char));
  }
  return bare;
}

/** What was pasted takes the place of rows of the same names, and of the empty row it was pasted into. */
export function mergeRows(rows: readonly EnvRow[], pasted: readonly EnvRow[]): EnvRow[] {
  const fresh = new Map(pasted.map((row) => [row.name, row]));
  const kept = rows
    .filter((row) => !isEmpty(row))
    .map((row) => {
      const other = fresh.get(row.name);
      fresh.delete(row.name);
      return other ? { ...other, secret: row.secret || other.secret } : row;
    });
  return [...kept, ...fresh.values()];
}
