// What is kept of an output folder: never more than the limits, never what could lead elsewhere, and nothing is left
// out in silence.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isFilePath } from '../../shared/model/file-path.ts';
import { judgeOutput, LeftOutTally, type LeftThing } from './output-choice.ts';

const limits = { maxBytes: 3 * 2 ** 20, maxFiles: 2 };
const nothing = { files: 0, bytes: 0 };
const file = (path: string, sizeBytes = 1): LeftThing => ({ path, type: 'file', sizeBytes });

describe('the choice of outputs', () => {
  it.each([
    ['a file', file('a/b.txt'), 'keep'],
    ['an empty file', file('a', 0), 'keep'],
    ['a file that just fits', file('a', 3 * 2 ** 20), 'keep'],
    ['a file that does not', file('a', 3 * 2 ** 20 + 1), 'too_large'],
    ['a hard link', { ...file('a'), type: 'hardlink' }, 'copy'],
    ['a folder', { ...file('../x'), type: 'directory' }, 'folder'],
    ['a symbolic link', { ...file('a'), type: 'symlink' }, 'symlink'],
    ['a pipe', { ...file('a'), type: 'other' }, 'special'],
    ['a path that climbs', file('../../etc/passwd'), 'name'],
    ['an absolute path', file('/etc/passwd'), 'name'],
    ['a name with a line end', file('a\nb'), 'name'],
    ['a name that is no text', file('bad\uFFFDname'), 'name'],
    ['a hard link that climbs', { ...file('../a'), type: 'hardlink' }, 'name'],
  ] as const)('%s', (_, thing, verdict) => {
    expect(judgeOutput(thing, nothing, limits)).toBe(verdict);
  });

  it('counts files before bytes', () => {
    expect(judgeOutput(file('a', 2 ** 30), { files: 2, bytes: 0 }, limits)).toBe('too_many');
    expect(judgeOutput(file('a', 0), { files: 1, bytes: 3 * 2 ** 20 }, limits)).toBe('keep');
    expect(judgeOutput(file('a', 0), nothing, { maxBytes: 0, maxFiles: 0 })).toBe('too_many');
  });

  it('keeps within both limits, and only under paths of the file space, whatever is there', () => {
    // All of Unicode as the unit of a string takes the library seconds to prepare.
    const piece = fc.oneof(
      fc.constantFrom('a', '/', '.', '..', '\\', '\0', ' ', '😀', '%2f'),
      fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)),
    );
    const thing = fc.record({
      path: fc.oneof(
        fc.constantFrom('a', 'b/c', '../x', '/x', 'a//b', '', '.', 'a/.', '\0', 'x\\y'),
        fc.string({ unit: piece, maxLength: 12 }),
      ),
      type: fc.constantFrom('file', 'directory', 'symlink', 'hardlink', 'other'),
      sizeBytes: fc.nat(2 ** 21),
    });
    fc.assert(
      fc.property(
        fc.array(thing, { maxLength: 40 }),
        fc.nat(2 ** 22),
        fc.nat(5),
        (things, maxBytes, maxFiles) => {
          const so = { files: 0, bytes: 0 };
          for (const one of things as LeftThing[]) {
            const verdict = judgeOutput(one, so, { maxBytes, maxFiles });
            if (verdict !== 'keep' && verdict !== 'copy') continue;
            expect(isFilePath(one.path)).toBe(true);
            expect(verdict).toBe(one.type === 'file' ? 'keep' : 'copy');
            so.files += 1;
            so.bytes += one.sizeBytes;
          }
          expect(so.files).toBeLessThanOrEqual(maxFiles);
          expect(so.bytes).toBeLessThanOrEqual(maxBytes);
        },
      ),
    );
  });
});

describe('what is said of what was left out', () => {
  it('is nothing when nothing was', () => {
    const tally = new LeftOutTally(limits);
    expect([tally.note, tally.overLimit]).toEqual([null, null]);
  });

  it('names each cause; only limits are a fault', () => {
    const tally = new LeftOutTally(limits);
    for (const why of ['symlink', 'special', 'special', 'name', 'further_name'] as const) tally.add(why);
    expect(tally.overLimit).toBeNull();
    expect(tally.note).toBe(
      'left out: 1 symbolic link; 2 pipes, sockets or devices; 1 file with a name that cannot be kept; 1 further name of a file that is not kept',
    );
    tally.add('too_large');
    tally.add('too_many');
    tally.add('too_many');
    const fault = '1 file over the limit of 3 MB in all; 2 files over the limit of 2 files';
    expect(tally.overLimit).toBe(fault);
    expect(tally.note).toContain(`left out: ${fault}; 1 symbolic link`);
    tally.isCutShort = true;
    expect(tally.overLimit).toBe(`${fault}; what was not looked at any more, for there was too much`);
  });
});
