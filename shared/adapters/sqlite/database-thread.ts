// A connection to a database file in a thread of its own, for statements that take seconds: the driver blocks the thread
// that calls it. One statement after the other; it must never share a transaction with another connection.

import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import type { Value } from './connection.ts';
import { asAppError, unavailable } from './errors.ts';

/** Text, so that it runs alike from sources and from the build. */
const PROGRAM = `
const { parentPort, workerData } = require('node:worker_threads');
const Database = require(workerData.driver);
const db = new Database(workerData.path, { timeout: workerData.lockWaitMs });
const HOW = {
  exec: (sql) => (db.exec(sql), null),
  all: (sql, values) => db.prepare(sql).all(values),
  run: (sql, values) => db.prepare(sql).run(values).changes,
  // The end of a thread alone would not give its locks back.
  close: () => (db.inTransaction && db.exec('ROLLBACK'), db.close(), null),
};
parentPort.on('message', ({ id, how, sql, values }) => {
  try {
    parentPort.postMessage({ id, result: HOW[how](sql, values) });
  } catch (error) {
    parentPort.postMessage({ id, fault: { message: error.message, code: error.code } });
  }
});
`;

/** Blocks nobody but the thread. As long as an ordinary write waits in all. */
const LOCK_WAIT_MS = 10_000;

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly fault?: { readonly message: string; readonly code: string | undefined };
}

interface Asked {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: unknown) => void;
}

export class DatabaseThread {
  readonly path: string;
  readonly #worker: Worker;
  readonly #asked = new Map<number, Asked>();
  #nextId = 1;
  #fault: unknown = null;

  constructor(path: string) {
    this.path = path;
    const driver = createRequire(import.meta.url).resolve('libsql');
    const workerData = { driver, path, lockWaitMs: LOCK_WAIT_MS };
    this.#worker = new Worker(PROGRAM, { eval: true, workerData, execArgv: [] });
    this.#worker.on('message', (answer: Answer) => this.#answered(answer));
    this.#worker.on('error', (error) => this.#fail(unavailable(path, 'it cannot be opened', error)));
    this.#worker.on('exit', () => this.#fail(unavailable(path, 'its thread has ended')));
  }

  /** Several statements without values. Throws AppError, like the two below. */
  async exec(sql: string): Promise<void> {
    await this.#ask('exec', sql, []);
  }

  async all<Row>(sql: string, values: readonly Value[] = []): Promise<Row[]> {
    return (await this.#ask('all', sql, values)) as Row[];
  }

  /** Returns how many rows were changed. */
  async run(sql: string, values: readonly Value[] = []): Promise<number> {
    return (await this.#ask('run', sql, values)) as number;
  }

  /** What is in the middle of a transaction comes to nothing. Waits for the statement in work. */
  async close(): Promise<void> {
    await this.#ask('close', '', []).catch(() => undefined);
    await this.#worker.terminate();
  }

  #ask(how: 'exec' | 'all' | 'run' | 'close', sql: string, values: readonly Value[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#fault !== null) return reject(this.#fault);
      const id = this.#nextId++;
      this.#asked.set(id, { resolve, reject });
      this.#worker.postMessage({ id, how, sql, values });
    });
  }

  #answered({ id, result, fault }: Answer): void {
    const asked = this.#asked.get(id);
    this.#asked.delete(id);
    if (fault === undefined) asked?.resolve(result);
    else asked?.reject(asAppError(Object.assign(new Error(fault.message), fault), this.path));
  }

  #fail(fault: unknown): void {
    this.#fault ??= fault;
    for (const { reject } of this.#asked.values()) reject(this.#fault);
    this.#asked.clear();
  }
}

/** Runs `work` on a connection that is closed afterwards. */
export async function onThread<T>(path: string, work: (db: DatabaseThread) => Promise<T>): Promise<T> {
  const db = new DatabaseThread(path);
  try {
    return await work(db);
  } finally {
    await db.close();
  }
}

/** As a literal of SQL; paths cannot be bound everywhere. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
