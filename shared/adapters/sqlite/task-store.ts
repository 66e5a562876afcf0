// Tasks in SQLite. Every write is one transaction; compare-and-set is the WHERE of the update.

import { AppError, isAppError } from '../../errors.ts';
import type { Allocation } from '../../model/held.ts';
import type { Task, TaskState } from '../../model/task.ts';
import { TERMINAL_STATES } from '../../model/task-states.ts';
import type {
  EndedRun,
  InsertOutcome,
  QueuedTask,
  QueueEntry,
  QueuePlace,
  TaskFilter,
  TaskPage,
  TaskStore,
  TaskSummaryPage,
} from '../../ports/task-store.ts';
import type { Connection } from './connection.ts';
import { readAllocations, readQueued } from './scheduler-view.ts';
import { CountChanges, readCounts, readUnfinished } from './task-counts.ts';
import { countAhead, readEndedRuns, readKinds, readLine } from './task-line.ts';
import { listSummaries, listTasks } from './task-list.ts';
import {
  INSERT_SPEC,
  INSERT_TASK,
  insertValues,
  specValues,
  TASK_COLUMNS,
  type TaskRow,
  taskOf,
  UPDATE_TASK,
  updateValues,
} from './task-record.ts';

const SELECT_TASK = `SELECT ${TASK_COLUMNS} FROM tasks AS t JOIN task_specs AS s ON s.n = t.n`;

/** The compare of compare-and-set; the write lock is held from here to the update. */
const SELECT_BEFORE = 'SELECT state FROM tasks WHERE id = ? AND revision = ?';

/** What a task nearly always was before; when it was, one statement compares and sets. */
const MOSTLY_BEFORE: Partial<Record<TaskState, TaskState>> = {
  assigned: 'queued',
  running: 'assigned',
  completed: 'running',
  failed: 'running',
};
const UPDATE_FROM_STATE = `${UPDATE_TASK} AND state = ?`;

/** Commits of one moment that share a write, so that their counts are changed once. */
const MOST_TOGETHER = 64;

interface Commit {
  readonly next: Task;
  readonly resolve: (isWritten: boolean) => void;
  readonly reject: (error: unknown) => void;
}

export class SqliteTaskStore implements TaskStore {
  readonly #connection: Connection;
  #gathered: Commit[] | null = null;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  insert(tasks: readonly Task[], maxUnfinished?: number): Promise<InsertOutcome> {
    const db = this.#connection;
    return db.write<InsertOutcome>(() => {
      const existing: Task[] = [];
      for (const { ownerId, idempotencyKey } of tasks) {
        if (idempotencyKey === null) continue;
        const row = db.first<TaskRow>(`${SELECT_TASK} WHERE t.owner_id = ? AND t.idempotency_key = ?`, [
          ownerId,
          idempotencyKey,
        ]);
        if (row) existing.push(taskOf(row));
      }
      if (existing.length > 0) return { kind: 'duplicate', existing };
      const [first] = tasks;
      if (first && maxUnfinished !== undefined) {
        const unfinished = readUnfinished(db, [first.ownerId]).get(first.ownerId) ?? 0;
        if (unfinished + tasks.length > maxUnfinished) return { kind: 'over_limit', unfinished };
      }
      const counts = new CountChanges();
      for (const task of tasks) {
        db.run(INSERT_TASK, insertValues(task));
        db.run(INSERT_SPEC, specValues(task));
        counts.add(task.ownerId, task.state, 1);
      }
      counts.save(db);
      return { kind: 'inserted' };
    });
  }

  get(id: string): Promise<Task | null> {
    const db = this.#connection;
    return db.read(() => {
      const row = db.first<TaskRow>(`${SELECT_TASK} WHERE t.id = ?`, [id]);
      return row && taskOf(row);
    });
  }

  getMany(ids: readonly string[]): Promise<Task[]> {
    const db = this.#connection;
    return db.read(() =>
      db
        .all<TaskRow>(`${SELECT_TASK} WHERE t.id IN (SELECT value FROM json_each(?))`, [JSON.stringify(ids)])
        .map(taskOf),
    );
  }

  commit(next: Task): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const commit = { next, resolve, reject };
      if (this.#gathered && this.#gathered.length < MOST_TOGETHER) this.#gathered.push(commit);
      else void this.#commitSoon([commit]);
    });
  }

  /** Takes more commits until it is written. */
  async #commitSoon(commits: Commit[]): Promise<void> {
    this.#gathered = commits;
    try {
      const written = await this.#connection.write(() => {
        if (this.#gathered === commits) this.#gathered = null;
        return this.#update(commits.map(({ next }) => next));
      });
      for (const [n, { resolve }] of commits.entries()) resolve(written[n] === true);
    } catch (error) {
      if (this.#gathered === commits) this.#gathered = null;
      const isOfAll = commits.length === 1 || (isAppError(error) && error.retryable);
      for (const { next, resolve, reject } of commits) {
        if (isOfAll) reject(error);
        // One of them is at fault; the others are not to pay for it.
        else this.#connection.write(() => this.#update([next])[0] === true).then(resolve, reject);
      }
    }
  }

  place(next: readonly Task[], term: number): Promise<ReadonlySet<string>> {
    const db = this.#connection;
    return db.write(() => {
      const newest = db.first<{ value: number }>(`SELECT value FROM cluster WHERE name = 'term'`);
      if (newest === null) throw new AppError('internal', 'the database has no leadership term');
      if (term < newest.value) return new Set();
      const written = this.#update(next);
      return new Set(next.filter((_, n) => written[n]).map(({ id }) => id));
    });
  }

  /** Inside a write: each over the revision it was made from. Says of each whether it was written. */
  #update(next: readonly Task[]): boolean[] {
    const counts = new CountChanges();
    const written = next.map((task) => {
      const before = this.#replace(task);
      if (before === null) return false;
      counts.add(task.ownerId, before, -1);
      counts.add(task.ownerId, task.state, 1);
      return true;
    });
    counts.save(this.#connection);
    return written;
  }

  /** Returns the state it had, or null when it is not written. */
  #replace(task: Task): TaskState | null {
    const db = this.#connection;
    const values = updateValues(task);
    const mostly = MOSTLY_BEFORE[task.state];
    if (mostly && db.run(UPDATE_FROM_STATE, [...values, mostly]) === 1) return mostly;
    const now = db.first<{ state: TaskState }>(SELECT_BEFORE, [task.id, task.revision - 1]);
    if (now === null) return null;
    db.run(UPDATE_TASK, values);
    return now.state;
  }

  list(filter: TaskFilter, page: { limit: number; before?: string | undefined }): Promise<TaskPage> {
    return listTasks(this.#connection, filter, page);
  }

  summaries(
    filter: TaskFilter,
    page: { limit: number; before?: string | undefined },
  ): Promise<TaskSummaryPage> {
    return listSummaries(this.#connection, filter, page);
  }

  countByState(ownerId?: string): Promise<Record<TaskState, number>> {
    const db = this.#connection;
    return db.read(() => readCounts(db, ownerId));
  }

  countUnfinished(ownerIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const db = this.#connection;
    return db.read(() => readUnfinished(db, ownerIds));
  }

  queued(page: Parameters<TaskStore['queued']>[0]): Promise<QueuedTask[]> {
    return this.#connection.read(() => readQueued(this.#connection, page));
  }

  allocations(workerId?: string): Promise<Allocation[]> {
    return this.#connection.read(() => readAllocations(this.#connection, workerId));
  }

  ended(page: {
    since: number;
    after?: { finishedAt: number; id: string } | undefined;
    limit: number;
    withWebhook?: boolean | undefined;
  }): Promise<Task[]> {
    const db = this.#connection;
    // Nothing is before the empty id.
    const { finishedAt, id } = page.after ?? { finishedAt: page.since, id: '' };
    return db.read(() => {
      const [index, wanted] = page.withWebhook ? this.#toldByEnd() : ['tasks_by_end', 'TRUE'];
      return db
        .all<TaskRow>(
          `SELECT ${TASK_COLUMNS} FROM tasks AS t INDEXED BY ${index} JOIN task_specs AS s ON s.n = t.n
           WHERE t.finished_at IS NOT NULL AND t.finished_at >= ? AND (t.finished_at, t.id) > (?, ?) AND ${wanted}
           ORDER BY t.finished_at, t.id LIMIT ?`,
          [page.since, finishedAt, id, page.limit],
        )
        .map(taskOf);
    });
  }

  /** Inside a read: the index and the condition for ended tasks that somebody is to be told of. */
  #toldByEnd(): readonly [index: string, condition: string] {
    // As long as no user has a webhook there is nothing to look through but tasks that name one.
    const isAny = this.#connection.first('SELECT 1 FROM webhooks LIMIT 1') !== null;
    return isAny
      ? ['tasks_by_end', '(t.has_webhook = 1 OR t.owner_id IN (SELECT owner_id FROM webhooks))']
      : ['tasks_told_by_end', 't.has_webhook = 1'];
  }

  removeEnded(ids: readonly string[]): Promise<number> {
    const db = this.#connection;
    const ended = 'id IN (SELECT value FROM json_each(?)) AND state IN (SELECT value FROM json_each(?))';
    return db.write(() => {
      const wanted = [JSON.stringify(ids), JSON.stringify(TERMINAL_STATES)];
      const counts = new CountChanges();
      for (const { owner_id, state } of db.all<{ owner_id: string; state: TaskState }>(
        `SELECT owner_id, state FROM tasks WHERE ${ended}`,
        wanted,
      )) {
        counts.add(owner_id, state, -1);
      }
      db.run(`DELETE FROM task_specs WHERE n IN (SELECT n FROM tasks WHERE ${ended})`, wanted);
      const removed = db.run(`DELETE FROM tasks WHERE ${ended}`, wanted);
      counts.save(db);
      return removed;
    });
  }

  endedRuns(page: Parameters<TaskStore['endedRuns']>[0]): Promise<EndedRun[]> {
    return this.#connection.read(() => readEndedRuns(this.#connection, page));
  }

  kinds(ids: readonly string[]): ReturnType<TaskStore['kinds']> {
    return this.#connection.read(() => readKinds(this.#connection, ids));
  }

  inLine(page: Parameters<TaskStore['inLine']>[0]): Promise<QueueEntry[]> {
    return this.#connection.read(() => readLine(this.#connection, page));
  }

  countAhead(of: QueuePlace, behind?: QueuePlace): Promise<number> {
    return this.#connection.read(() => countAhead(this.#connection, of, behind));
  }
}
