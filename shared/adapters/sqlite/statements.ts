// Prepared statements by their text. The texts are few: they depend on which filters are set, never on values.

import type Database from 'libsql';
import type { Connection } from './connection.ts';

type Statement = Database.Statement<unknown[]>;

export class Statements {
  readonly #db: Connection;
  readonly #prepared = new Map<string, Statement>();

  constructor(db: Connection) {
    this.#db = db;
  }

  of(sql: string): Statement {
    let statement = this.#prepared.get(sql);
    if (!statement) {
      statement = this.#db.prepare<unknown[]>(sql);
      this.#prepared.set(sql, statement);
    }
    return statement;
  }
}
