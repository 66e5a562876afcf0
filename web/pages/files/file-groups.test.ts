import { describe, expect, it } from 'vitest';
import type { FileBody } from '../../../shared/contracts/files.ts';
import { fileGroups } from './file-groups.ts';

function file(path: string, more: Partial<FileBody> = {}): FileBody {
  return {
    path,
    task_id: null,
    attempt: null,
    size_bytes: 1,
    content_type: 'text/plain',
    sha256: '0'.repeat(64),
    created_at: '2026-01-01T00:00:00.000Z',
    ...more,
  };
}
const at = (day: number) => `2026-01-0${day}T00:00:00.000Z`;

describe('files in groups', () => {
  const files = [
    file('b.bin', { task_id: 'task-1', attempt: 1, size_bytes: 5, created_at: at(2) }),
    file('run-10.txt', { size_bytes: 3 }),
    file('run-9.txt', { size_bytes: 4, created_at: at(3) }),
    file('model/w.bin', {
      task_id: 'task-2',
      attempt: 1,
      content_type: 'application/octet-stream',
      created_at: at(5),
    }),
  ];

  it('are the uploads, then the tasks, the newest first', () => {
    const groups = fileGroups(files, '', 'name');
    expect(groups.map(({ taskId }) => taskId)).toEqual([null, 'task-2', 'task-1']);
    expect(groups[0]).toMatchObject({ bytes: 7, newestAt: at(3) });
  });

  it('are sorted as people count', () => {
    const uploads = (sort: 'name' | 'size' | 'new') =>
      fileGroups(files, '', sort)[0]?.files.map(({ path }) => path);
    expect(uploads('name')).toEqual(['run-9.txt', 'run-10.txt']);
    expect(uploads('size')).toEqual(['run-9.txt', 'run-10.txt']);
    expect(uploads('new')).toEqual(['run-9.txt', 'run-10.txt']);
    expect(fileGroups([...files, file('big', { size_bytes: 99 })], '', 'size')[0]?.files[0]?.path).toBe(
      'big',
    );
  });

  it('are found by each word of their path, type or task', () => {
    const found = (search: string) =>
      fileGroups(files, search, 'name').flatMap((group) => group.files.map(({ path }) => path));
    expect(found('RUN 10')).toEqual(['run-10.txt']);
    expect(found('task-2')).toEqual(['model/w.bin']);
    expect(found('octet w')).toEqual(['model/w.bin']);
    expect(found('nothing')).toEqual([]);
  });
});
