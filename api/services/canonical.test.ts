import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contentHash } from './canonical.ts';

describe('a content hash', () => {
  it('does not see the order of fields, at any depth', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (fields) => {
        const turned = Object.fromEntries(Object.entries(fields).reverse());
        expect(contentHash({ a: [turned], b: 1 })).toBe(contentHash({ b: 1, a: [fields] }));
      }),
    );
  });

  it('differs where content differs', () => {
    const values = [
      {},
      [],
      null,
      '',
      0,
      false,
      { a: 1 },
      { a: '1' },
      { a: [1] },
      [1, 2],
      [2, 1],
      ['1,2'],
      { '': {} },
    ];
    expect(new Set(values.map(contentHash)).size).toBe(values.length);
  });
});
