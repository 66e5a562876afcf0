// The wire of files: uploads in a user's space and what tasks left in `/output`. The bytes travel as they are;
// these are the records around them.

import type { FileRecord } from '../model/file.ts';

export interface FileBody {
  path: string;
  /** The task that wrote it, or null for an upload. */
  task_id: string | null;
  /** The attempt of that task, or null for an upload. */
  attempt: number | null;
  size_bytes: number;
  content_type: string;
  /** Hex; in quotes it is the ETag of the bytes. */
  sha256: string;
  created_at: string;
}

/** Of all files of a list, not only of the page. */
export interface FileTotalBody {
  files: number;
  bytes: number;
}

export interface FileListReply {
  /** In order of path. */
  files: FileBody[];
  total: FileTotalBody;
  /** Pass as `cursor` for the next page; null at the end. */
  next_cursor: string | null;
}

export interface TaskFileListReply extends FileListReply {
  /** The attempt whose files these are; null while none has run. */
  attempt: number | null;
}

export const ARCHIVE_FORMATS = ['tar.gz', 'zip'] as const;
export type ArchiveFormat = (typeof ARCHIVE_FORMATS)[number];

export function fileBody(file: FileRecord): FileBody {
  return {
    path: file.path,
    task_id: file.taskId,
    attempt: file.attempt,
    size_bytes: file.sizeBytes,
    content_type: file.contentType,
    sha256: file.sha256,
    created_at: new Date(file.createdAt).toISOString(),
  };
}

/** The address of a path: each part is encoded, the `/` between them stay. */
export function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}
