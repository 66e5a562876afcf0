// The store of one machine: a SQLite file that all processes there open at once.

import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '../../errors.ts';
import type { Store } from '../../ports/store.ts';
import { SqliteAuditStore } from './audit-store.ts';
import { Connection } from './connection.ts';
import { clearLeftCopies } from './copy-folder.ts';
import { isBusy, unavailable } from './errors.ts';
import { SqliteFileRecordStore } from './file-record-store.ts';
import { SqliteHistoryStore } from './history-store.ts';
import { migrate } from './migrations.ts';
import { SqliteRegistrationStore } from './registration-store.ts';
import { SqliteStoreCopies } from './store-copies.ts';
import { SqliteTaskStore } from './task-store.ts';
import { SqliteUploadStore } from './upload-store.ts';
import { SqliteUserStore } from './user-store.ts';
import { SqliteWebhookStore } from './webhook-store.ts';
import { SqliteWorkerStore } from './worker-store.ts';

/** Whoever holds the file for longer than this (a copy made by other means, say) is not done soon. */
const OPEN_PATIENCE_MS = 60_000;
const OPEN_PAUSE_MS = 200;

/**
 * Opens the database at `path`, with its folder and its tables if they are not there yet.
 * A file that another process holds is waited for, up to a minute, as it is by a process that runs.
 * Throws `store_unavailable` when it cannot be used, `bad_config` when a newer release wrote it.
 */
export async function openSqliteStore(path: string): Promise<Store> {
  try {
    await mkdir(dirname(path), { recursive: true });
  } catch (error) {
    throw unavailable(path, `its folder cannot be made (${(error as NodeJS.ErrnoException).code})`, error);
  }
  const db = new Connection(path);
  try {
    await migrateWhenFree(db);
  } catch (error) {
    await db.close();
    throw error;
  }
  await clearLeftCopies(path);
  return {
    tasks: new SqliteTaskStore(db),
    workers: new SqliteWorkerStore(db),
    registrations: new SqliteRegistrationStore(db),
    users: new SqliteUserStore(db),
    files: new SqliteFileRecordStore(db),
    uploads: new SqliteUploadStore(db),
    history: new SqliteHistoryStore(db),
    webhooks: new SqliteWebhookStore(db),
    audit: new SqliteAuditStore(db),
    nextTerm: () =>
      db.write(() => {
        const sql = `UPDATE cluster SET value = value + 1 WHERE name = 'term' RETURNING value`;
        const row = db.first<{ value: number }>(sql);
        if (row === null) throw unavailable(path, 'it has no leadership term');
        return row.value;
      }),
    copies: new SqliteStoreCopies(path),
    generation: () =>
      db.read(() => {
        const sql = `SELECT value FROM cluster WHERE name = 'generation'`;
        return db.first<{ value: number }>(sql)?.value ?? 0;
      }),
    ping: async () => {
      await db.read(() => db.first('SELECT value FROM cluster'));
    },
    close: () => db.close(),
  };
}

async function migrateWhenFree(db: Connection): Promise<void> {
  const end = performance.now() + OPEN_PATIENCE_MS;
  for (;;) {
    try {
      return await migrate(db);
    } catch (error) {
      const isHeld = error instanceof AppError && isBusy(error.cause);
      if (!isHeld || performance.now() > end) throw error;
      await delay(OPEN_PAUSE_MS);
    }
  }
}
