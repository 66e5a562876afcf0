// Records of kept files in SQLite. The bytes are elsewhere; nothing here touches them.

import type { FileRecord } from '../../model/file.ts';
import type { FileRecordStore } from '../../ports/store.ts';
import type { Connection, Value } from './connection.ts';

interface FileRow {
  record: string;
}

export class SqliteFileRecordStore implements FileRecordStore {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async put(file: FileRecord): Promise<void> {
    const db = this.#connection;
    await db.write(() =>
      db.run(
        `INSERT INTO files (id, owner_id, task_id, path, record) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (owner_id, task_id, path) DO UPDATE SET id = excluded.id, record = excluded.record`,
        [file.id, file.ownerId, file.taskId ?? '', file.path, JSON.stringify(file)],
      ),
    );
  }

  find(where: { ownerId: string; taskId: string | null; path: string }): Promise<FileRecord | null> {
    const db = this.#connection;
    return db.read(() => {
      const row = db.first<FileRow>(
        'SELECT record FROM files WHERE owner_id = ? AND task_id = ? AND path = ?',
        [where.ownerId, where.taskId ?? '', where.path],
      );
      return row && fileOf(row);
    });
  }

  list(where: { ownerId: string; taskId?: string | null | undefined }): Promise<FileRecord[]> {
    const db = this.#connection;
    const all = where.taskId === undefined;
    const values: Value[] = all ? [where.ownerId] : [where.ownerId, where.taskId ?? ''];
    return db.read(() =>
      db
        .all<FileRow>(
          `SELECT record FROM files WHERE owner_id = ? ${all ? '' : 'AND task_id = ?'} ORDER BY path, task_id`,
          values,
        )
        .map(fileOf),
    );
  }

  remove(id: string): Promise<boolean> {
    return this.#connection.write(() => this.#connection.run('DELETE FROM files WHERE id = ?', [id]) === 1);
  }
}

function fileOf(row: FileRow): FileRecord {
  return JSON.parse(row.record) as FileRecord;
}
