// Files as people read them in a terminal. No calls here.

import { age, byteSize } from '../client/words.ts';
import type { FileBody } from '../shared/contracts/files.ts';
import type { UploadBody } from '../shared/contracts/uploads.ts';
import type { Session } from './session.ts';

export function fileTable(session: Session, files: readonly FileBody[]): string {
  const now = session.io.now();
  const ofTasks = files.some(({ task_id }) => task_id !== null);
  const several = new Set(files.map(({ task_id }) => task_id)).size > 1;
  const again = files.some(({ attempt }) => (attempt ?? 1) > 1);
  return session.table<FileBody>(files, [
    { title: 'PATH', cell: ({ path }) => path, min: 12 },
    { title: 'SIZE', cell: ({ size_bytes }) => byteSize(size_bytes), align: 'right' },
    ...(ofTasks && several
      ? [{ title: 'TASK', cell: ({ task_id }: FileBody) => task_id ?? '(upload)', dispensable: 2 }]
      : []),
    ...(again && several
      ? [
          {
            title: 'ATTEMPT',
            cell: ({ attempt }: FileBody) => String(attempt ?? ''),
            align: 'right' as const,
            dispensable: 3,
          },
        ]
      : []),
    { title: 'TYPE', cell: ({ content_type }) => content_type, min: 8, dispensable: 4 },
    { title: 'AGE', cell: ({ created_at }) => age(created_at, now), align: 'right', dispensable: 1 },
  ]);
}

export function uploadTable(session: Session, uploads: readonly UploadBody[]): string {
  const now = session.io.now();
  const arrived = ({ offset, size_bytes }: UploadBody) =>
    size_bytes === 0 ? '' : `${Math.floor((100 * offset) / size_bytes)}%`;
  return session.table<UploadBody>(uploads, [
    { title: 'UPLOAD', cell: ({ upload_id }) => upload_id },
    { title: 'PATH', cell: ({ path }) => path, min: 12 },
    { title: 'SIZE', cell: ({ size_bytes }) => byteSize(size_bytes), align: 'right' },
    { title: 'ARRIVED', cell: arrived, align: 'right' },
    { title: 'STATE', cell: ({ state }) => state, dispensable: 2 },
    { title: 'AGE', cell: ({ created_at }) => age(created_at, now), align: 'right', dispensable: 1 },
  ]);
}
