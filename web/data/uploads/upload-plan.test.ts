import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ApiError, ConnectionError } from '../../../client/client.ts';
import { afterFault, otherFile, PIECE_BYTES, pathIn, pieceEnd } from './upload-plan.ts';

const cut = new ConnectionError('http://x', 'unreachable', 'cut');

describe('after a fault', () => {
  it.each([
    ['a cut, at first', cut, 1, { kind: 'wait', ms: 1_000 }],
    ['a cut, again', cut, 3, { kind: 'wait', ms: 4_000 }],
    ['a cut, for an hour', cut, 400, { kind: 'wait', ms: 15_000 }],
    ['told to wait', new ApiError(503, 'store_unavailable', '', [], 7), 1, { kind: 'wait', ms: 7_000 }],
    ['forgotten', new ApiError(404, 'not_found', ''), 1, { kind: 'begin-anew' }],
    ['another sender', new ApiError(409, 'conflict', ''), 15, { kind: 'wait', ms: 2_000 }],
    ['another sender that stays', new ApiError(409, 'conflict', ''), 16, { kind: 'fail' }],
    ['too large', new ApiError(413, 'too_large', ''), 1, { kind: 'fail' }],
    ['a fault of this program', new TypeError('x'), 1, { kind: 'fail' }],
  ])('%s', (_what, error, faults, step) => {
    expect(afterFault(error, faults, true)).toEqual(step);
  });

  it('an upload that never began has nothing to go on with', () => {
    expect(afterFault(new ApiError(409, 'conflict', ''), 1, false)).toEqual({ kind: 'fail' });
    expect(afterFault(new ApiError(404, 'not_found', ''), 1, false)).toEqual({ kind: 'fail' });
  });
});

it('pieces cover a file without gap or overlap', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 * PIECE_BYTES }), (size) => {
      let offset = 0;
      while (offset < size) {
        const end = pieceEnd(offset, size);
        if (end <= offset || end - offset > PIECE_BYTES) return false;
        offset = end;
      }
      return offset === size;
    }),
  );
});

it.each([
  ['', 'a.txt', 'a.txt'],
  ['data', 'a.txt', 'data/a.txt'],
  ['/data/ /set 1//', 'a.txt', 'data/set 1/a.txt'],
])('in the folder "%s" %s is %s', (folder, name, path) => {
  expect(pathIn(folder, name)).toBe(path);
});

it('tells a file from the one that was begun', () => {
  const upload = { path: 'data/a.bin', size_bytes: 10 };
  const same = { name: 'a.bin', size: 10, lastModified: 5 };
  expect(otherFile(upload, same, null)).toBeNull();
  expect(otherFile(upload, same, 5)).toBeNull();
  expect(otherFile(upload, same, 6)).toContain('changed');
  expect(otherFile(upload, { ...same, name: 'b.bin' }, null)).toContain('called b.bin');
  expect(otherFile(upload, { ...same, size: 11 }, null)).toContain('11 bytes');
});
