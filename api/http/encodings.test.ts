import { expect, it } from 'vitest';
import { takesBrotli } from './encodings.ts';

it.each([
  [undefined, false],
  ['', false],
  ['gzip, deflate', false],
  ['gzip, deflate, br', true],
  ['BR;q=0.5', true],
  ['gzip, br ; q=0', false],
  ['br;q=0.000, gzip', false],
  ['br;q=0.001', true],
  ['brotli, abr', false],
])('%s: %s', (header, taken) => {
  expect(takesBrotli(header)).toBe(taken);
});
