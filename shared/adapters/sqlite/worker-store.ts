// Workers in SQLite. What the runner wrote, what an admin wishes and what the leader saw stand in columns of their own.

import type { Liveness, Maintenance, Worker, WorkerRegistration } from '../../model/worker.ts';
import type { WorkerStore } from '../../ports/store.ts';
import { type Connection, guard } from './connection.ts';
import { Statements } from './statements.ts';

interface WorkerRow {
  registration: string;
  maintenance: Maintenance;
  liveness: Liveness;
  liveness_at: number;
}

const COLUMNS = 'registration, maintenance, liveness, liveness_at';

export class SqliteWorkerStore implements WorkerStore {
  readonly #sql: Statements;

  constructor(db: Connection) {
    this.#sql = new Statements(db);
  }

  async register(registration: WorkerRegistration): Promise<Worker> {
    return guard(() => {
      const sql = `INSERT INTO workers (id, ${COLUMNS}) VALUES (?, ?, 'none', 'up', ?)
        ON CONFLICT (id) DO UPDATE SET registration = excluded.registration`;
      this.#sql.of(sql).run(registration.id, JSON.stringify(registration), registration.registeredAt);
      return this.#find(registration.id) as Worker;
    });
  }

  async get(id: string): Promise<Worker | null> {
    return guard(() => this.#find(id));
  }

  async list(): Promise<Worker[]> {
    return guard(() =>
      (this.#sql.of(`SELECT ${COLUMNS} FROM workers ORDER BY id`).all() as WorkerRow[]).map(toWorker),
    );
  }

  async setMaintenance(id: string, maintenance: Maintenance): Promise<Worker | null> {
    return guard(() => {
      this.#sql.of('UPDATE workers SET maintenance = ? WHERE id = ?').run(maintenance, id);
      return this.#find(id);
    });
  }

  async setLiveness(id: string, liveness: Liveness, at: number): Promise<Worker | null> {
    return guard(() => {
      this.#sql.of('UPDATE workers SET liveness = ?, liveness_at = ? WHERE id = ?').run(liveness, at, id);
      return this.#find(id);
    });
  }

  async remove(id: string): Promise<boolean> {
    return guard(() => this.#sql.of('DELETE FROM workers WHERE id = ?').run(id).changes === 1);
  }

  #find(id: string): Worker | null {
    const row = this.#sql.of(`SELECT ${COLUMNS} FROM workers WHERE id = ?`).get(id) as WorkerRow | undefined;
    return row ? toWorker(row) : null;
  }
}

function toWorker(row: WorkerRow): Worker {
  return {
    ...(JSON.parse(row.registration) as WorkerRegistration),
    maintenance: row.maintenance,
    liveness: row.liveness,
    livenessAt: row.liveness_at,
  };
}
