import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quoteWords, splitWords } from './shell-words.ts';

describe('words of a shell', () => {
  it('are read back as they were', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), (words) => {
        expect(splitWords(quoteWords(words))).toEqual(words);
      }),
    );
  });

  it('are read back so by a real one', () => {
    const words = ['a b', '', "it's", '$HOME', '`id`', '"', '\\', 'new\nline', '*', '-x', '~', 'ü'];
    const out = execFileSync('/bin/sh', ['-c', `printf '%s\\0' ${quoteWords(words)}`], { encoding: 'utf8' });
    expect(out.split('\0').slice(0, -1)).toEqual(words);
  });

  it.each([
    ['python -c "print(42)"', ['python', '-c', 'print(42)']],
    ['a\'b\'"c"d', ['abcd']],
    ['a\\ b "\\$x \\n"', ['a b', '$x \\n']],
    ["  '' ", ['']],
    ['', []],
    ['"open', null],
    ["'open", null],
    ['open\\', null],
  ])('%j is %j', (line, words) => {
    expect(splitWords(line)).toEqual(words);
  });
});
