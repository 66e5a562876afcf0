// What a task demands of the labels of its worker, as rows of a form: a label and the values that will do. Pure.

import type { ErrorDetail } from '../../../shared/errors.ts';
import {
  LABEL_NAME_PATTERN,
  LABEL_VALUE_PATTERN,
  type Labels,
  type LabelTerms,
  meetsTerms,
} from '../../../shared/model/labels.ts';
import type { ComboOption } from './combo-options.ts';

export interface TermRow {
  readonly name: string;
  /** As it is typed: `ssd, nvme`. */
  readonly values: string;
}

/** The fields of the API that hold such terms. */
export type TermsField = 'constraints' | 'prefer';

export const NEW_TERM: TermRow = { name: '', values: '' };
/** A label may have no value: it has to be told from a field that nobody has filled in. */
const EMPTY_VALUE = '""';

export function termRows(terms: LabelTerms): TermRow[] {
  return Object.entries(terms).map(([name, values]) => ({
    name,
    values: values.map((value) => (value === '' ? EMPTY_VALUE : value)).join(', '),
  }));
}

/** Rows that are not finished count for nothing; `termFaults` says so before. */
export function termsOf(rows: readonly TermRow[]): LabelTerms {
  return Object.fromEntries(
    rows
      .map((row) => [row.name.trim(), valuesOf(row)] as const)
      .filter(([name, values]) => name !== '' && values.length > 0),
  );
}

export function termFaults(rows: readonly TermRow[], field: TermsField): ErrorDetail[] {
  const seen = new Set<string>();
  return rows.flatMap((row) => {
    if (isEmpty(row)) return [];
    const name = row.name.trim();
    const faults: string[] = [];
    const values = valuesOf(row);
    const odd = values.find((value) => !LABEL_VALUE_PATTERN.test(value));
    if (name === '') faults.push('Name the label');
    else if (!LABEL_NAME_PATTERN.test(name))
      faults.push('The name of a label has letters, digits, dots, dashes and underscores, 63 at most');
    else if (seen.has(name)) faults.push(`${name} is there twice: put its values into one line`);
    if (values.length === 0) faults.push(`Say which values of ${name || 'it'} will do`);
    else if (odd !== undefined)
      faults.push(
        `“${odd}” is no value of a label: letters, digits, dots, dashes and underscores, 63 at most`,
      );
    seen.add(name);
    return faults.map((message) => ({ field: `${field}.${name}`, message }));
  });
}

/** Machines that can take work some time. */
interface Labelled {
  readonly state: string;
  readonly labels: Labels;
}

/** Labels of the workers, those of most workers first; without the ones that other rows have. */
export function labelOptions(
  workers: readonly Labelled[],
  rows: readonly TermRow[],
  at: number,
): ComboOption[] {
  const taken = new Set(rows.filter((_, n) => n !== at).map(({ name }) => name.trim()));
  const names = counted(workers.flatMap(({ labels }) => Object.keys(labels)));
  return names
    .filter(([name]) => !taken.has(name))
    .map(([value, count]) => ({ value, hint: onWorkers(count) }));
}

/** Values that workers have of the label; where some stand already, one more behind them. */
export function valueOptions(workers: readonly Labelled[], { name, values }: TermRow): ComboOption[] {
  const label = name.trim();
  const begun = values.slice(0, values.lastIndexOf(',') + 1).trim();
  const there = new Set(valuesOf({ name, values: begun }));
  const found = workers.flatMap(({ labels }) =>
    Object.hasOwn(labels, label) ? [labels[label] as string] : [],
  );
  return counted(found)
    .filter(([value]) => !there.has(value))
    .map(([value, count]) => ({
      value: [begun, value === '' ? EMPTY_VALUE : value].filter((part) => part !== '').join(' '),
      hint: onWorkers(count),
    }));
}

/** How many of the workers have what is asked for; empty while nothing is. */
export function metWords(workers: readonly Labelled[], rows: readonly TermRow[]): string {
  const terms = termsOf(rows);
  if (workers.length === 0 || Object.keys(terms).length === 0) return '';
  const met = workers.filter(({ labels }) => meetsTerms(terms, labels)).length;
  const all = `${workers.length.toLocaleString('en')} ${workers.length === 1 ? 'worker has' : 'workers have'}`;
  if (met === 0)
    return workers.length === 1 ? 'The one worker there is has not.' : `None of ${all} all of it.`;
  return `${met.toLocaleString('en')} of ${all} all of it.`;
}

function valuesOf({ values }: TermRow): string[] {
  const pieces = values
    .split(/[,|]/)
    .map((piece) => piece.trim())
    .filter((piece) => piece !== '');
  return [...new Set(pieces.map((piece) => (piece === EMPTY_VALUE ? '' : piece)))];
}

function isEmpty({ name, values }: TermRow): boolean {
  return name.trim() === '' && values.trim() === '';
}

function onWorkers(count: number): string {
  return count === 1 ? 'on 1 worker' : `on ${count.toLocaleString('en')} workers`;
}

function counted(values: readonly string[]): [string, number][] {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].sort(([a, one], [b, other]) => other - one || a.localeCompare(b));
}
