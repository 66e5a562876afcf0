// Workers in SQLite. The registration is the runner's, maintenance the admin's, liveness the leader's: no write
// touches a field of another.

import type { Liveness, Maintenance, Worker, WorkerRegistration } from '../../model/worker.ts';
import type { WorkerStore } from '../../ports/store.ts';
import type { Connection, Value } from './connection.ts';

interface WorkerRow {
  registration: string;
  maintenance: Maintenance;
  liveness: Liveness;
  liveness_at: number;
  drain_until: number | null;
}

const COLUMNS = 'registration, maintenance, liveness, liveness_at, drain_until';

export class SqliteWorkerStore implements WorkerStore {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async register(registration: WorkerRegistration): Promise<Worker> {
    const db = this.#connection;
    return db.write(() => {
      const [row] = db.all<WorkerRow>(
        `INSERT INTO workers (id, registration, maintenance, liveness, liveness_at) VALUES (?, ?, 'none', 'up', ?)
         ON CONFLICT (id) DO UPDATE SET registration = excluded.registration RETURNING ${COLUMNS}`,
        [registration.id, JSON.stringify(registration), registration.registeredAt],
      );
      return workerOf(row as WorkerRow);
    });
  }

  get(id: string): Promise<Worker | null> {
    const db = this.#connection;
    return db.read(() => {
      const row = db.first<WorkerRow>(`SELECT ${COLUMNS} FROM workers WHERE id = ?`, [id]);
      return row && workerOf(row);
    });
  }

  list(): Promise<Worker[]> {
    const db = this.#connection;
    return db.read(() => db.all<WorkerRow>(`SELECT ${COLUMNS} FROM workers ORDER BY id`).map(workerOf));
  }

  setMaintenance(
    id: string,
    maintenance: Maintenance,
    drainUntil: number | null = null,
  ): Promise<Worker | null> {
    const until = maintenance === 'draining' ? drainUntil : null;
    return this.#set('maintenance = ?, drain_until = ?', [maintenance, until, id]);
  }

  setLiveness(id: string, liveness: Liveness, at: number): Promise<Worker | null> {
    return this.#set('liveness = ?, liveness_at = ?', [liveness, at, id]);
  }

  remove(id: string): Promise<boolean> {
    return this.#connection.write(() => this.#connection.run('DELETE FROM workers WHERE id = ?', [id]) === 1);
  }

  #set(change: string, values: readonly Value[]): Promise<Worker | null> {
    const db = this.#connection;
    return db.write(() => {
      const row = db.first<WorkerRow>(
        `UPDATE workers SET ${change} WHERE id = ? RETURNING ${COLUMNS}`,
        values,
      );
      return row && workerOf(row);
    });
  }
}

function workerOf(row: WorkerRow): Worker {
  return {
    ...(JSON.parse(row.registration) as WorkerRegistration),
    maintenance: row.maintenance,
    drainUntil: row.drain_until,
    liveness: row.liveness,
    livenessAt: row.liveness_at,
  };
}
