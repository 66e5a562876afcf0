import { isAbsolute, join, normalize, relative } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FILE_PATH_MAX, filePathFault, isFilePath, pathClash } from './file-path.ts';

describe('a path of a file', () => {
  it.each([
    'model.bin',
    'results/epoch 1/weights.pt',
    '.hidden/..name',
    '...',
    'grüße/€/😀.txt',
    'a:b',
    '%2e%2e',
    'x'.repeat(255),
    '€'.repeat(85),
    `${'d/'.repeat(511)}ab`,
  ])('may be %s', (path) => {
    expect(filePathFault(path)).toBeNull();
  });

  it.each([
    ['', 'empty parts'],
    ['/etc/passwd', 'relative'],
    ['..', '".."'],
    ['a/../b', '".."'],
    ['a/./b', '"."'],
    ['a//b', 'empty parts'],
    ['a/', 'empty parts'],
    ['nul\0', 'control'],
    ['line\nbreak', 'control'],
    ['esc\x1b[2J', 'control'],
    ['del\x7f', 'control'],
    ['..\\..\\boot.ini', '"\\"'],
    ['half \ud83d', 'well-formed'],
    ['x'.repeat(256), '255 bytes'],
    ['€'.repeat(86), '255 bytes'],
    ['d/'.repeat(600), `${FILE_PATH_MAX} characters`],
  ])('may not be %j', (path, why) => {
    expect(filePathFault(path)).toContain(why);
  });

  it('never leads out of the folder it is put below, and is spelled in one way only', () => {
    // All of Unicode as the unit of a string takes the library seconds to prepare.
    const anyUnit = fc.integer({ min: 0, max: 0x10ffff }).map((code) => String.fromCodePoint(code));
    const part = fc.oneof(
      fc.constantFrom('..', '.', '', 'a', 'b.txt', '\\', '..\\', '\0', '%2e%2e', '~'),
      fc.string({ unit: anyUnit, maxLength: 6 }),
    );
    const path = fc.array(part, { maxLength: 6 }).map((parts) => parts.join('/'));
    fc.assert(
      fc.property(path, (given) => {
        fc.pre(isFilePath(given));
        const inside = relative('/root/folder', join('/root/folder', given));
        expect(inside.split('/')).not.toContain('..');
        expect(isAbsolute(inside)).toBe(false);
        expect(inside).toBe(given);
        expect(normalize(given)).toBe(given);
        expect(decodeURIComponent(given.split('/').map(encodeURIComponent).join('/'))).toBe(given);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('paths together', () => {
  it('clash when one is the folder of another', () => {
    expect(pathClash(['a', 'b/c', 'b/d', 'a.txt'])).toBeNull();
    expect(pathClash(['a/b/c', 'x', 'a/b'])).toEqual({ file: 'a/b', below: 'a/b/c' });
    expect(pathClash(['a', 'ab/c'])).toBeNull();
  });
});
