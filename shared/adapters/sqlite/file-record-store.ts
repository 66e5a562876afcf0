// Records of files in SQLite. An upload has the empty text where an output has its task, so that one unique key
// serves both.

import type { FileRecord } from '../../model/file.ts';
import type { FileRecordStore } from '../../ports/store.ts';
import { type Connection, guard } from './connection.ts';
import { Statements } from './statements.ts';

interface FileRow {
  id: string;
  owner_id: string;
  task_id: string;
  attempt: number | null;
  path: string;
  size_bytes: number;
  content_type: string;
  sha256: string;
  created_at: number;
}

const COLUMNS = 'id, owner_id, task_id, attempt, path, size_bytes, content_type, sha256, created_at';

export class SqliteFileRecordStore implements FileRecordStore {
  readonly #sql: Statements;

  constructor(db: Connection) {
    this.#sql = new Statements(db);
  }

  async put(file: FileRecord): Promise<void> {
    guard(() => {
      const sql = `INSERT INTO files (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (owner_id, task_id, path) DO UPDATE SET id = excluded.id, attempt = excluded.attempt,
        size_bytes = excluded.size_bytes, content_type = excluded.content_type, sha256 = excluded.sha256,
        created_at = excluded.created_at`;
      this.#sql
        .of(sql)
        .run(
          file.id,
          file.ownerId,
          file.taskId ?? '',
          file.attempt,
          file.path,
          file.sizeBytes,
          file.contentType,
          file.sha256,
          file.createdAt,
        );
    });
  }

  async find(where: { ownerId: string; taskId: string | null; path: string }): Promise<FileRecord | null> {
    return guard(() => {
      const sql = `SELECT ${COLUMNS} FROM files WHERE owner_id = ? AND task_id = ? AND path = ?`;
      const row = this.#sql.of(sql).get(where.ownerId, where.taskId ?? '', where.path) as FileRow | undefined;
      return row ? toFile(row) : null;
    });
  }

  async list(where: { ownerId: string; taskId?: string | null | undefined }): Promise<FileRecord[]> {
    return guard(() => {
      const rows =
        where.taskId === undefined
          ? this.#sql
              .of(`SELECT ${COLUMNS} FROM files WHERE owner_id = ? ORDER BY path, id`)
              .all(where.ownerId)
          : this.#sql
              .of(`SELECT ${COLUMNS} FROM files WHERE owner_id = ? AND task_id = ? ORDER BY path`)
              .all(where.ownerId, where.taskId ?? '');
      return (rows as FileRow[]).map(toFile);
    });
  }

  async remove(id: string): Promise<boolean> {
    return guard(() => this.#sql.of('DELETE FROM files WHERE id = ?').run(id).changes === 1);
  }
}

function toFile(row: FileRow): FileRecord {
  return {
    id: row.id,
    ownerId: row.owner_id,
    taskId: row.task_id === '' ? null : row.task_id,
    attempt: row.attempt,
    path: row.path,
    sizeBytes: row.size_bytes,
    contentType: row.content_type,
    sha256: row.sha256,
    createdAt: row.created_at,
  };
}
