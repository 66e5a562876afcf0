import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chooseAnswer, type FileAnswer } from './conditions.ts';

const etag = `"${'ab'.repeat(32)}"`;

function ask(headers: Record<string, string>, sizeBytes = 100, method = 'get'): FileAnswer {
  return chooseAnswer({ method, headers }, { etag, sizeBytes });
}

describe('a range', () => {
  it.each<[string, number, FileAnswer]>([
    ['bytes=0-9', 100, { kind: 'part', start: 0, end: 10 }],
    ['bytes=90-', 100, { kind: 'part', start: 90, end: 100 }],
    ['bytes=-5', 100, { kind: 'part', start: 95, end: 100 }],
    ['bytes=-500', 100, { kind: 'part', start: 0, end: 100 }],
    ['bytes=99-500', 100, { kind: 'part', start: 99, end: 100 }],
    ['BYTES=0-0', 100, { kind: 'part', start: 0, end: 1 }],
    ['bytes=100-', 100, { kind: 'unsatisfiable' }],
    ['bytes=-0', 100, { kind: 'unsatisfiable' }],
    ['bytes=9-3', 100, { kind: 'unsatisfiable' }],
    ['bytes=0-', 0, { kind: 'unsatisfiable' }],
    ['bytes=-5', 0, { kind: 'whole' }],
    ['bytes=what', 100, { kind: 'unsatisfiable' }],
    [`bytes=${'9'.repeat(400)}-`, 100, { kind: 'unsatisfiable' }],
    [`bytes=-${'9'.repeat(400)}`, 100, { kind: 'part', start: 0, end: 100 }],
    ['bytes=0-4,20-24', 100, { kind: 'whole' }],
    ['lines=0-4', 100, { kind: 'whole' }],
    ['', 100, { kind: 'whole' }],
  ])('%s of %i bytes', (range, size, answer) => {
    expect(ask({ range }, size)).toEqual(answer);
  });

  it('is what slicing the bytes gives', () => {
    const number = fc.option(fc.nat(40), { nil: '' as const });
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 30 }), number, number, (bytes, first, last) => {
        const answer = ask({ range: `bytes=${first}-${last}` }, bytes.length);
        const expected = reference(bytes, first, last);
        if (expected === null) expect(answer.kind).toBe('unsatisfiable');
        else if (answer.kind === 'part') expect(bytes.slice(answer.start, answer.end)).toEqual(expected);
        else expect([answer.kind, bytes]).toEqual(['whole', expected]);
      }),
      { numRuns: 3_000 },
    );
  });

  it('never goes beyond the file, whatever stands in the header', () => {
    const piece = fc.oneof(
      fc.constantFrom('bytes', '=', '-', ',', ' ', '\t', '0', '1', '9'.repeat(30), '-1', 'x'),
      fc.string({ maxLength: 3 }),
    );
    const text = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''));
    fc.assert(
      fc.property(
        fc.oneof(
          text,
          text.map((rest) => `bytes=${rest}`),
        ),
        fc.nat(50),
        (range, size) => {
          const answer = ask({ range }, size);
          if (answer.kind !== 'part') return;
          expect(Number.isSafeInteger(answer.start) && Number.isSafeInteger(answer.end)).toBe(true);
          expect(answer.start).toBeGreaterThanOrEqual(0);
          expect(answer.start).toBeLessThan(answer.end);
          expect(answer.end).toBeLessThanOrEqual(size);
        },
      ),
      { numRuns: 3_000 },
    );
  });

  it('is of this version only', () => {
    const range = 'bytes=0-9';
    const part = { kind: 'part', start: 0, end: 10 };
    expect(ask({ range, 'if-range': etag })).toEqual(part);
    expect(ask({ range, 'if-range': '"other"' })).toEqual({ kind: 'whole' });
    expect(ask({ range, 'if-range': `W/${etag}` })).toEqual({ kind: 'whole' });
    expect(ask({ range, 'if-range': 'Sat, 29 Oct 1994 19:43:31 GMT' })).toEqual({ kind: 'whole' });
  });

  it('means nothing to HEAD', () => {
    expect(ask({ range: 'bytes=0-9' }, 100, 'head')).toEqual({ kind: 'whole' });
  });
});

describe('bytes that the asker has', () => {
  it.each([etag, `W/${etag}`, `"other", ${etag}`, '*'])('are not sent again: %s', (known) => {
    expect(ask({ 'if-none-match': known })).toEqual({ kind: 'not_modified' });
    expect(ask({ 'if-none-match': known, range: 'bytes=0-9' }, 100, 'head')).toEqual({
      kind: 'not_modified',
    });
  });

  it.each(['"other"', etag.slice(1, -1), ''])('are others: %j', (known) => {
    expect(ask({ 'if-none-match': known })).toEqual({ kind: 'whole' });
  });
});

/** RFC 9110, 14.1.2, by slices; null where nothing can be given. */
function reference(bytes: Uint8Array, first: number | '', last: number | ''): Uint8Array | null {
  if (first === '' && last === '') return null;
  if (first === '') return last === 0 ? null : bytes.slice(-Number(last));
  if (last !== '' && last < first) return null;
  if (first >= bytes.length) return null;
  return bytes.slice(first, last === '' ? undefined : last + 1);
}
