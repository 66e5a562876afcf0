// One connection to the database file: typed statements, and writes gathered into transactions.
// It must never hold a transaction across an await, nor let a driver's error or result field out.
//
// Durability: WAL with `synchronous=NORMAL`. A commit is in the log file (written, not fsynced) before the write
// resolves, so it survives the death of any process at once, and every other process sees it. Only a power cut
// or a crash of the operating system may take the last moments; the file stays consistent even then.
// `synchronous=FULL` would fsync each commit, which costs milliseconds, for that case alone.

import { setTimeout as delay } from 'node:timers/promises';
import Database from 'libsql';
import { asAppError, isBusy, unavailable } from './errors.ts';

/** What may be bound. A boolean would abort the driver; text comes back only up to its first NUL, so text that
 * may hold one is kept as JSON. */
export type Value = string | number | null;

/** How long SQLite itself may wait for a lock. Short, because it blocks the whole process while it waits. */
const LOCK_WAIT_MS = 15;
/** How long a write waits in all for other processes before it gives up as `store_unavailable`. */
const GIVE_UP_MS = 10_000;
/** Writes in one transaction at most: bounds how long the event loop and other processes wait. */
const MAX_GROUP = 256;

interface Prepared {
  readonly statement: Database.Statement;
  /** Of its columns, once it has been read from. */
  names: readonly string[] | null;
}

interface PendingWrite {
  /** Monotonic: since when it waits. */
  readonly since: number;
  readonly work: () => unknown;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export class Connection {
  readonly path: string;
  readonly #database: Database.Database;
  readonly #statements = new Map<string, Prepared>();
  #pending: PendingWrite[] = [];
  #flushing: Promise<void> | null = null;
  #closed = false;

  /** Throws `store_unavailable` when there is no database to be had at `path`. */
  constructor(path: string) {
    this.path = path;
    try {
      this.#database = new Database(path, { timeout: LOCK_WAIT_MS });
    } catch (error) {
      // The driver gives failures to open neither a class nor a code.
      throw unavailable(path, 'it cannot be opened; is its folder there and writable?', error);
    }
  }

  /** All rows. Only inside `read` or `write`, like the two below. */
  all<Row>(sql: string, values: readonly Value[] = []): Row[] {
    const { statement, names } = this.#prepareRead(sql);
    return (statement.all(values) as Value[][]).map((row) => named<Row>(names, row));
  }

  first<Row>(sql: string, values: readonly Value[] = []): Row | null {
    const { statement, names } = this.#prepareRead(sql);
    const row = statement.get(values) as Value[] | undefined;
    return row ? named<Row>(names, row) : null;
  }

  /** Returns how many rows were changed. */
  run(sql: string, values: readonly Value[] = []): number {
    return this.#prepare(sql).statement.run(values).changes;
  }

  /** Several statements without values. */
  exec(sql: string): void {
    this.#database.exec(sql);
  }

  /** Runs `work`, again and again while other processes hold the lock, without blocking this one. */
  async read<T>(work: () => T, since = performance.now()): Promise<T> {
    const end = since + GIVE_UP_MS;
    for (;;) {
      // The driver itself goes on reading after a close.
      if (this.#closed) throw unavailable(this.path, 'the store is closed');
      try {
        return work();
      } catch (error) {
        if (!isBusy(error) || performance.now() > end) throw asAppError(error, this.path);
      }
      await delay(1 + Math.random() * 9);
    }
  }

  /**
   * Runs `work` inside a transaction that holds the write lock, together with other writes of this moment.
   * All of `work` is written, or none of it when it throws. Resolves once committed. `work` is synchronous, and may
   * run a second time after the first came to nothing: it changes nothing but the database.
   */
  write<T>(work: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#pending.push({
        since: performance.now(),
        work,
        resolve: resolve as (value: unknown) => void,
        reject,
      });
      this.#flushing ??= this.#flush();
    });
  }

  async #flush(): Promise<void> {
    // Lets all that is ready in this turn of the event loop join the same transaction.
    await new Promise<void>((next) => setImmediate(next));
    while (this.#pending.length > 0) {
      const group = this.#pending.splice(0, MAX_GROUP);
      // Of the one that waits longest: each group having its own patience, the last of many would wait for all of theirs.
      const { since } = group[0] as PendingWrite;
      try {
        await this.#begin(since);
        if (this.#commitAtOnce(group)) continue;
        await this.#begin(since);
        this.#commitGroup(group);
      } catch (error) {
        for (const { reject } of group) reject(asAppError(error, this.path));
      }
    }
    this.#flushing = null;
  }

  #begin(since: number): Promise<unknown> {
    return this.read(() => this.run('BEGIN IMMEDIATE'), since);
  }

  /**
   * Almost always no write of a group throws, and a savepoint for each costs as much as half of a small write. False,
   * and nothing written, when one did: then they run again, each by itself.
   */
  #commitAtOnce(group: readonly PendingWrite[]): boolean {
    const values: unknown[] = [];
    try {
      for (const { work } of group) values.push(work());
    } catch {
      if (this.#database.inTransaction) this.run('ROLLBACK');
      return false;
    }
    try {
      this.run('COMMIT');
    } catch (error) {
      if (this.#database.inTransaction) this.run('ROLLBACK');
      throw error;
    }
    for (const [n, { resolve }] of group.entries()) resolve(values[n]);
    return true;
  }

  #commitGroup(group: readonly PendingWrite[]): void {
    const settle: (() => void)[] = [];
    try {
      for (const { work, resolve, reject } of group) {
        this.run('SAVEPOINT one');
        try {
          const value = work();
          settle.push(() => resolve(value));
        } catch (error) {
          // A full disk ends the whole transaction by itself; then there is no savepoint to go back to.
          if (!this.#database.inTransaction) throw error;
          this.run('ROLLBACK TO one');
          settle.push(() => reject(asAppError(error, this.path)));
        }
        this.run('RELEASE one');
      }
      this.run('COMMIT');
    } catch (error) {
      if (this.#database.inTransaction) this.run('ROLLBACK');
      throw error;
    }
    for (const done of settle) done();
  }

  /** Prepared once per text. */
  #prepare(sql: string): Prepared {
    let prepared = this.#statements.get(sql);
    if (!prepared) {
      prepared = { statement: this.#database.prepare(sql), names: null };
      this.#statements.set(sql, prepared);
    }
    return prepared;
  }

  /** The driver takes longer to make an object of a wide row than to find it, so it hands out the bare values. */
  #prepareRead(sql: string): { statement: Database.Statement; names: readonly string[] } {
    const prepared = this.#prepare(sql);
    prepared.names ??= prepared.statement
      .raw()
      .columns()
      .map(({ name }) => name);
    return { statement: prepared.statement, names: prepared.names };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    await this.#flushing;
    this.#closed = true;
    this.#statements.clear();
    this.#database.close();
  }
}

function named<Row>(names: readonly string[], values: readonly Value[]): Row {
  const row: Record<string, Value> = {};
  // In a plain loop: this runs for every row there is.
  for (let n = 0; n < names.length; n += 1) row[names[n] as string] = values[n] as Value;
  return row as Row;
}
