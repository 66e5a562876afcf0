// The store in a SQLite file.

import type { Store } from '../../ports/store.ts';
import { guard, inTransaction, openConnection } from './connection.ts';
import { SqliteFileRecordStore } from './file-record-store.ts';
import { SqliteTaskStore } from './task-store.ts';
import { SqliteUserStore } from './user-store.ts';
import { SqliteWorkerStore } from './worker-store.ts';

/** Opens, creating file and folder where they are missing. Throws AppError `store_unavailable`. */
export async function openSqliteStore(path: string): Promise<Store> {
  const db = openConnection(path);
  return {
    tasks: new SqliteTaskStore(db),
    workers: new SqliteWorkerStore(db),
    users: new SqliteUserStore(db),
    files: new SqliteFileRecordStore(db),
    nextTerm: async () =>
      guard(() =>
        inTransaction(db, () => {
          db.exec(
            "INSERT INTO counters (name, value) VALUES ('term', 1) ON CONFLICT (name) DO UPDATE SET value = value + 1",
          );
          return (db.prepare("SELECT value FROM counters WHERE name = 'term'").get() as { value: number })
            .value;
        }),
      ),
    ping: async () => {
      guard(() => db.prepare('SELECT 1').get());
    },
    close: async () => {
      if (db.open) db.close();
    },
  };
}
