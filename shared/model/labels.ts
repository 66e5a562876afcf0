// What a task demands of the labels of its worker, and whether a worker has it. Pure.
//
// A term names a label and the values that will do: `{ disk: ['ssd', 'nvme'] }` is met by a worker with `disk=ssd` or
// `disk=nvme`. All constraints must be met; preferences that are met only make a worker better than another. Terms about folders
// to be mounted stand among them (mounts.ts): for those the label of the nearest folder above decides.

import { isMountTerm, mountTermWords, namesAbove } from './mounts.ts';

export type Labels = Readonly<Record<string, string>>;
/** For each label the values that will do; never an empty list. */
export type LabelTerms = Readonly<Record<string, readonly string[]>>;

export interface LabelDemand {
  readonly constraints: LabelTerms;
  readonly prefer: LabelTerms;
}

export const NO_TERMS: LabelTerms = {};
export const NO_DEMAND: LabelDemand = { constraints: NO_TERMS, prefer: NO_TERMS };

/** As `WORKER_LABELS` takes them. */
export const LABEL_NAME_PATTERN = /^[A-Za-z0-9._-]{1,63}$/;
export const LABEL_VALUE_PATTERN = /^[A-Za-z0-9._-]{0,63}$/;

export function meetsTerms(terms: LabelTerms, labels: Labels): boolean {
  for (const name in terms) if (!meetsTerm(terms, name, labels)) return false;
  return true;
}

/** How many of the terms the labels meet. */
export function countMet(terms: LabelTerms, labels: Labels): number {
  let met = 0;
  for (const name in terms) if (meetsTerm(terms, name, labels)) met += 1;
  return met;
}

/** The terms that the labels do not meet. */
export function unmetTerms(terms: LabelTerms, labels: Labels): LabelTerms {
  return Object.fromEntries(Object.entries(terms).filter(([name]) => !meetsTerm(terms, name, labels)));
}

/** Equal for equal demands, in whatever order they were written; empty for none. */
export function demandKey({ constraints, prefer }: LabelDemand): string {
  const [must, may] = [termsKey(constraints), termsKey(prefer)];
  return must === '' && may === '' ? '' : `${must}~${may}`;
}

/** `disk=ssd|nvme, zone=a, leave to mount /data`, in order of the names. */
export function describeTerms(terms: LabelTerms): string {
  return Object.keys(terms)
    .sort()
    .map((name) => (isMountTerm(name) ? leaveWords(terms, name) : termText(terms, name)))
    .join(', ');
}

function leaveWords(terms: LabelTerms, name: string): string {
  return `leave to mount ${mountTermWords(name, terms[name] as readonly string[])}`;
}

function termsKey(terms: LabelTerms): string {
  return Object.keys(terms)
    .sort()
    .map((name) => termText(terms, name))
    .join(',');
}

function termText(terms: LabelTerms, name: string): string {
  return `${name}=${[...(terms[name] as readonly string[])].sort().join('|')}`;
}

function meetsTerm(terms: LabelTerms, name: string, labels: Labels): boolean {
  const value = labelFor(name, labels);
  return value !== undefined && (terms[name] as readonly string[]).includes(value);
}

/** The value that decides over a term of this name. */
export function labelFor(name: string, labels: Labels): string | undefined {
  if (!isMountTerm(name)) return own(labels, name);
  for (const one of namesAbove(name)) {
    const value = own(labels, one);
    if (value !== undefined) return value;
  }
  return undefined;
}

/** Own properties only: a label may be called like something every object has. */
function own(labels: Labels, name: string): string | undefined {
  return Object.hasOwn(labels, name) ? labels[name] : undefined;
}
