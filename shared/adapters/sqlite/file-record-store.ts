// Records of kept files in SQLite. The bytes are elsewhere; nothing here touches them.

import type { FileRecord } from '../../model/file.ts';
import { decodeFileCursor, encodeFileCursor } from '../../platform/file-cursor.ts';
import type { FileFilter, FilePage, FilePlace, FileRecordStore } from '../../ports/store.ts';
import type { Connection, Value } from './connection.ts';

/** Records in one transaction at most: bounds how long the event loop and other processes wait. */
const STEP = 500;

interface FileRow {
  task_id: string;
  attempt: number;
  path: string;
  record: string;
}

export class SqliteFileRecordStore implements FileRecordStore {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async put(files: readonly FileRecord[]): Promise<FileRecord[]> {
    const replaced: FileRecord[] = [];
    for (let at = 0; at < files.length; at += STEP) {
      replaced.push(...(await this.#putStep(files.slice(at, at + STEP))));
    }
    return replaced;
  }

  #putStep(files: readonly FileRecord[]): Promise<FileRecord[]> {
    const db = this.#connection;
    return db.write(() => {
      const replaced: FileRecord[] = [];
      for (const file of files) {
        const before = this.#find(file);
        db.run(
          `INSERT INTO files (id, owner_id, task_id, attempt, path, size_bytes, record) VALUES (?, ?, ?, ?, ?, ?, ?)
           ON CONFLICT (owner_id, task_id, path, attempt) DO UPDATE
           SET id = excluded.id, size_bytes = excluded.size_bytes, record = excluded.record`,
          [file.id, ...valuesOf(file), file.sizeBytes, JSON.stringify(file)],
        );
        if (before && before.id !== file.id) replaced.push(before);
      }
      return replaced;
    });
  }

  find(place: FilePlace): Promise<FileRecord | null> {
    return this.#connection.read(() => this.#find(place));
  }

  /** Inside a read or a write. */
  #find(place: FilePlace): FileRecord | null {
    const row = this.#connection.first<FileRow>(
      'SELECT record FROM files WHERE owner_id = ? AND task_id = ? AND attempt = ? AND path = ?',
      valuesOf(place),
    );
    return row && fileOf(row);
  }

  list(filter: FileFilter, page: { limit: number; after?: string | undefined }): Promise<FilePage> {
    const db = this.#connection;
    const { condition, values } = conditionOf(filter);
    const after = page.after === undefined ? null : decodeFileCursor(page.after);
    const beyond = after ? 'AND (path, task_id, attempt) > (?, ?, ?)' : '';
    return db.read(() => {
      const rows = db.all<FileRow>(
        `SELECT task_id, attempt, path, record
         FROM files INDEXED BY ${filter.taskId === undefined ? 'files_by_path' : 'files_by_place'}
         WHERE ${condition} ${beyond} ORDER BY path, task_id, attempt LIMIT ?`,
        [...values, ...(after ? [after.path, after.taskId, after.attempt] : []), page.limit + 1],
      );
      const shown = rows.slice(0, page.limit);
      const files = shown.map(fileOf);
      const last = rows.length > page.limit ? files.at(-1) : undefined;
      return { files, next: last ? encodeFileCursor(positionOf(last)) : null };
    });
  }

  total(filter: FileFilter): Promise<{ files: number; bytes: number }> {
    const db = this.#connection;
    const { condition, values } = conditionOf(filter);
    return db.read(() => {
      const row = db.first<{ files: number; bytes: number }>(
        `SELECT count(*) AS files, coalesce(sum(size_bytes), 0) AS bytes
         FROM files INDEXED BY files_by_size WHERE ${condition}`,
        values,
      );
      return { files: row?.files ?? 0, bytes: row?.bytes ?? 0 };
    });
  }

  uploadBytes(ownerIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const db = this.#connection;
    return db.read(() => {
      const rows = db.all<{ owner_id: string; bytes: number }>(
        `SELECT owner_id, sum(size_bytes) AS bytes FROM files INDEXED BY files_by_size
         WHERE owner_id IN (SELECT value FROM json_each(?)) AND task_id = '' GROUP BY owner_id`,
        [JSON.stringify(ownerIds)],
      );
      return new Map(rows.map(({ owner_id, bytes }) => [owner_id, bytes]));
    });
  }

  async remove(ids: readonly string[]): Promise<number> {
    const db = this.#connection;
    let removed = 0;
    for (let at = 0; at < ids.length; at += STEP) {
      const step = JSON.stringify(ids.slice(at, at + STEP));
      removed += await db.write(() =>
        db.run('DELETE FROM files WHERE id IN (SELECT value FROM json_each(?))', [step]),
      );
    }
    return removed;
  }
}

/** In the order owner, task, attempt, path. */
function valuesOf({ ownerId, taskId, attempt, path }: FilePlace): Value[] {
  return [ownerId, taskId ?? '', attempt ?? 0, path];
}

function positionOf({ path, taskId, attempt }: FileRecord) {
  return { path, taskId: taskId ?? '', attempt: attempt ?? 0 };
}

function conditionOf({ ownerId, taskId, attempt }: FileFilter): { condition: string; values: Value[] } {
  let condition = 'owner_id = ?';
  const values: Value[] = [ownerId];
  if (taskId !== undefined) {
    condition += ' AND task_id = ?';
    values.push(taskId ?? '');
  }
  if (attempt !== undefined) {
    condition += ' AND attempt = ?';
    values.push(attempt);
  }
  return { condition, values };
}

function fileOf(row: Pick<FileRow, 'record'>): FileRecord {
  return JSON.parse(row.record) as FileRecord;
}
