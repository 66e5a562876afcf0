import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { layOutJson } from './json-layout.ts';

describe('JSON', () => {
  it('is laid out with all its digits', () => {
    expect(layOutJson('{"id":12345678901234567890,"a":[1.50,{}],"b":[ ],"t":"x\\"{,"}')).toBe(
      '{\n  "id": 12345678901234567890,\n  "a": [\n    1.50,\n    {}\n  ],\n  "b": [],\n  "t": "x\\"{,"\n}',
    );
  });

  it('stays what it is', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const text = JSON.stringify(value);
        expect(layOutJson(text)).toBe(JSON.stringify(JSON.parse(text), null, 2));
      }),
    );
  });

  it('is left alone when it is none, or too deep to be helped', () => {
    expect(layOutJson('{"a":')).toBeNull();
    expect(layOutJson('[1] and more')).toBeNull();
    expect(layOutJson('['.repeat(100) + ']'.repeat(100))).toBeNull();
    expect(layOutJson(`${'['.repeat(60)}${'1,'.repeat(60_000)}1${']'.repeat(60)}`)).toBeNull();
  });
});
