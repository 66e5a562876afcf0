// Records of uploads on their way in, in SQLite. They change by compare-and-set alone; the bytes are elsewhere.

import type { Upload } from '../../model/upload.ts';
import type { UploadStore } from '../../ports/store.ts';
import type { Connection, Value } from './connection.ts';

interface Row {
  record: string;
}

export class SqliteUploadStore implements UploadStore {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  insert(upload: Upload, maxOpen: number): Promise<boolean> {
    const { id, ownerId, createdAt, revision } = upload;
    const db = this.#connection;
    return db.write(() => {
      const sql =
        'SELECT count(*) AS open FROM uploads INDEXED BY uploads_open WHERE open = 1 AND owner_id = ?';
      if ((db.first<{ open: number }>(sql, [ownerId])?.open ?? 0) >= maxOpen) return false;
      const { open, expiresAt, record } = changing(upload);
      db.run(
        `INSERT INTO uploads (id, owner_id, open, created_at, expires_at, revision, record)
         VALUES (?, ?, ?, ?, ?, ?, ?)`,
        [id, ownerId, open, createdAt, expiresAt, revision, record],
      );
      return true;
    });
  }

  get(id: string): Promise<Upload | null> {
    const db = this.#connection;
    return db.read(() => {
      const row = db.first<Row>('SELECT record FROM uploads WHERE id = ?', [id]);
      return row && uploadOf(row);
    });
  }

  commit(next: Upload): Promise<boolean> {
    const { id, revision } = next;
    const { open, expiresAt, record } = changing(next);
    const db = this.#connection;
    return db.write(
      () =>
        db.run(
          `UPDATE uploads SET open = ?, expires_at = ?, revision = ?, record = ? WHERE id = ? AND revision = ?`,
          [open, expiresAt, revision, record, id, revision - 1],
        ) === 1,
    );
  }

  listOpen(ownerId: string, limit: number): Promise<Upload[]> {
    return this.#list(
      `SELECT record FROM uploads INDEXED BY uploads_open
       WHERE open = 1 AND owner_id = ? ORDER BY created_at, id LIMIT ?`,
      [ownerId, limit],
    );
  }

  listExpired(now: number, limit: number): Promise<Upload[]> {
    return this.#list(
      `SELECT record FROM uploads INDEXED BY uploads_by_expiry
       WHERE expires_at <= ? ORDER BY expires_at, id LIMIT ?`,
      [now, limit],
    );
  }

  remove({ id, revision }: Pick<Upload, 'id' | 'revision'>): Promise<boolean> {
    const db = this.#connection;
    return db.write(() => db.run('DELETE FROM uploads WHERE id = ? AND revision = ?', [id, revision]) === 1);
  }

  #list(sql: string, values: Value[]): Promise<Upload[]> {
    const db = this.#connection;
    return db.read(() => db.all<Row>(sql, values).map(uploadOf));
  }
}

function changing(upload: Upload) {
  const open = upload.result === null ? 1 : 0;
  return { open, expiresAt: upload.expiresAt, record: JSON.stringify(upload) };
}

function uploadOf({ record }: Row): Upload {
  return JSON.parse(record) as Upload;
}
