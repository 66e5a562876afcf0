import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { envOf, looksSecret, mergeRows, newRow, parseEnvLines, rowsOf } from './env-rows.ts';

const pairs = (text: string) => parseEnvLines(text)?.map(({ name, value }) => [name, value]) ?? null;

describe('lines that are pasted', () => {
  it.each([
    ['A=1', [['A', '1']]],
    [
      'export A=1\n\n# B=2\n  C=x=y ',
      [
        ['A', '1'],
        ['C', 'x=y'],
      ],
    ],
    [
      'A=\'x "y"\'\r\nB="a\\"b\\nc"',
      [
        ['A', 'x "y"'],
        ['B', 'a"b\nc'],
      ],
    ],
    ['A=', [['A', '']]],
    ['_A1="half', [['_A1', '"half']]],
    ['just words', null],
    ['A=1\nnot a pair', null],
    ['1A=1', null],
    ['', null],
    ['# only a comment', null],
  ])('%j', (text, rows) => {
    expect(pairs(text)).toEqual(rows);
  });

  it('hide what looks like a secret', () => {
    expect(parseEnvLines('DB_PASSWORD=x\nAPI_KEY=y\nKEYBOARD=de')?.map(({ secret }) => secret)).toEqual([
      true,
      true,
      false,
    ]);
    expect(looksSecret('GITHUB_TOKEN')).toBe(true);
    expect(looksSecret('PATH')).toBe(false);
  });

  it('take the place of rows of the same name and of empty rows, and keep them secret', () => {
    const rows = [newRow('A', '1'), newRow(), { ...newRow('B', '2'), secret: true }];
    const merged = mergeRows(rows, [newRow('B', '3'), newRow('C', '4')]);
    expect(merged.map(({ name, value, secret }) => [name, value, secret])).toEqual([
      ['A', '1', false],
      ['B', '3', true],
      ['C', '4', false],
    ]);
  });
});

describe('rows', () => {
  it('give back the environment they were made of', () => {
    const name = fc.stringMatching(/^[A-Z_]{1,6}$/);
    fc.assert(
      fc.property(fc.dictionary(name, fc.string()), fc.boolean(), (env, isSecret) => {
        const secrets = isSecret ? Object.keys(env) : [];
        expect(envOf(rowsOf(env, secrets, '\0masked'))).toEqual({ env: { ...env }, secrets });
      }),
    );
  });

  it('count for nothing while they are empty', () => {
    expect(envOf([newRow(), newRow(' A ', '')])).toEqual({ env: { A: '' }, secrets: [] });
  });
});
