// What to answer to a request for the bytes of a file: all, a part, nothing because the asker has them, or that
// there is no such part. Pure. RFC 9110, sections 13 and 14, for strong entity tags and one range.

import { header as parseRanges } from '@hapi/ammo';

export interface ConditionalRequest {
  readonly method: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

export type FileAnswer =
  | { readonly kind: 'not_modified' }
  | { readonly kind: 'whole' }
  /** Bytes `start` up to and without `end`. */
  | { readonly kind: 'part'; readonly start: number; readonly end: number }
  | { readonly kind: 'unsatisfiable' };

/**
 * @param file `etag` strong and in quotes
 * Several ranges at once, another unit, or a range of another version are answered with the whole file.
 */
export function chooseAnswer(
  { method, headers }: ConditionalRequest,
  file: { readonly etag: string; readonly sizeBytes: number },
): FileAnswer {
  const known = textOf(headers['if-none-match']);
  if (known !== undefined && isAmong(file.etag, known)) return { kind: 'not_modified' };
  const range = textOf(headers.range);
  // A range has a meaning for GET only.
  if (range === undefined || method.toUpperCase() !== 'GET') return { kind: 'whole' };
  const version = textOf(headers['if-range']);
  if (version !== undefined && version.trim() !== file.etag) return { kind: 'whole' };
  return chooseRange(range, file.sizeBytes);
}

function chooseRange(range: string, sizeBytes: number): FileAnswer {
  if (!/^bytes=/i.test(range) || range.includes(',')) return { kind: 'whole' };
  const found = parseRanges(range, sizeBytes)?.[0];
  if (!found) return { kind: 'unsatisfiable' };
  // More last bytes than there are: all of them.
  const start = Math.max(0, found.from);
  const end = Math.min(found.to + 1, sizeBytes);
  return end > start ? { kind: 'part', start, end } : { kind: 'whole' };
}

/** Weak comparison, as the RFC asks for with If-None-Match. */
function isAmong(etag: string, list: string): boolean {
  if (list.trim() === '*') return true;
  return (list.match(/(?:W\/)?"[^"]*"/g) ?? []).some((one) => one.replace(/^W\//, '') === etag);
}

function textOf(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : value?.join(', ');
}
