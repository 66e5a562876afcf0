import { describe, expect, it } from 'vitest';
import type { FileBody } from '../../../shared/contracts/files.ts';
import { findFiles, foldersOf } from './file-folders.ts';

const file = (path: string, size = 1): FileBody => ({
  path,
  task_id: 'task-1',
  attempt: 1,
  size_bytes: size,
  content_type: 'text/plain',
  sha256: '',
  created_at: '2026-01-01T00:00:00.000Z',
});
const files = [
  'model/epoch-10/w',
  'z.txt',
  'model/epoch-2/w',
  'model/readme',
  'a.txt',
  'model/epoch-2/b',
].map((path) => file(path));

describe('files in folders', () => {
  it('stand in the order in which people count, the top first', () => {
    expect(
      foldersOf(files).map(({ path, files: inside }) => [path, inside.map((each) => each.path)]),
    ).toEqual([
      ['', ['a.txt', 'z.txt']],
      ['model', ['model/readme']],
      ['model/epoch-2', ['model/epoch-2/b', 'model/epoch-2/w']],
      ['model/epoch-10', ['model/epoch-10/w']],
    ]);
    expect(foldersOf([file('a/x', 3), file('a/y', 4)])).toMatchObject([{ bytes: 7 }]);
    expect(foldersOf([])).toEqual([]);
  });

  it('are found by words of their path', () => {
    expect(findFiles(files, ' W  Epoch-2 ').map(({ path }) => path)).toEqual(['model/epoch-2/w']);
    expect(findFiles(files, '  ')).toBe(files);
  });
});
