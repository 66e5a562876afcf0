// Workers that were registered by hand, in SQLite. Calls nobody; a registration changes by compare-and-set alone.

import type { Registration } from '../../model/registration.ts';
import type { RegistrationStore } from '../../ports/store.ts';
import type { Connection, Value } from './connection.ts';

interface Row {
  record: string;
}

export class SqliteRegistrationStore implements RegistrationStore {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async put(registration: Registration): Promise<void> {
    const { id, wish, revision, nextAt } = registration;
    const db = this.#connection;
    await db.write(() =>
      db.run(
        'INSERT OR REPLACE INTO registrations (id, wish, revision, next_at, record) VALUES (?, ?, ?, ?, ?)',
        [id, wish, revision, nextAt, JSON.stringify(registration)],
      ),
    );
  }

  async get(id: string): Promise<Registration | null> {
    return (await this.#find('WHERE id = ?', [id]))[0] ?? null;
  }

  list(): Promise<Registration[]> {
    return this.#find('ORDER BY id');
  }

  due(now: number, limit: number): Promise<Registration[]> {
    return this.#find('INDEXED BY registrations_due WHERE next_at <= ? ORDER BY next_at, id LIMIT ?', [
      now,
      limit,
    ]);
  }

  commit(next: Registration): Promise<boolean> {
    const { id, wish, revision, nextAt } = next;
    const db = this.#connection;
    return db.write(
      () =>
        db.run(
          'UPDATE registrations SET revision = ?, next_at = ?, record = ? WHERE id = ? AND wish = ? AND revision = ?',
          [revision, nextAt, JSON.stringify(next), id, wish, revision - 1],
        ) === 1,
    );
  }

  remove(id: string, wish?: string): Promise<boolean> {
    const db = this.#connection;
    const [only, values] = wish === undefined ? ['', [id]] : [' AND wish = ?', [id, wish]];
    return db.write(() => db.run(`DELETE FROM registrations WHERE id = ?${only}`, values) === 1);
  }

  #find(which: string, values: readonly Value[] = []): Promise<Registration[]> {
    const db = this.#connection;
    return db.read(() =>
      db
        .all<Row>(`SELECT record FROM registrations ${which}`, values)
        .map(({ record }) => JSON.parse(record) as Registration),
    );
  }
}
