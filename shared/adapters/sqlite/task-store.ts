// Tasks in SQLite. Every write is one transaction; compare-and-set is the WHERE of the update.

import { AppError } from '../../errors.ts';
import type { Task, TaskState } from '../../model/task.ts';
import type {
  Allocation,
  EndedRun,
  InsertOutcome,
  QueuedTask,
  QueueEntry,
  QueuePlace,
  TaskFilter,
  TaskPage,
  TaskStore,
  TaskSummaryPage,
} from '../../ports/store.ts';
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
const SELECT_BEFORE = 'SELECT owner_id, state FROM tasks WHERE id = ? AND revision = ?';

export class SqliteTaskStore implements TaskStore {
  readonly #connection: Connection;

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
    return this.#connection.write(() => this.#update([next]).size === 1);
  }

  place(next: readonly Task[], term: number): Promise<ReadonlySet<string>> {
    const db = this.#connection;
    return db.write(() => {
      const newest = db.first<{ value: number }>(`SELECT value FROM cluster WHERE name = 'term'`);
      if (newest === null) throw new AppError('internal', 'the database has no leadership term');
      return term < newest.value ? new Set() : this.#update(next);
    });
  }

  /** Inside a write: each over the revision it was made from. Returns the ids that were written. */
  #update(next: readonly Task[]): Set<string> {
    const db = this.#connection;
    const written = new Set<string>();
    const counts = new CountChanges();
    for (const task of next) {
      const now = db.first<{ owner_id: string; state: TaskState }>(SELECT_BEFORE, [
        task.id,
        task.revision - 1,
      ]);
      if (now === null) continue;
      db.run(UPDATE_TASK, updateValues(task));
      counts.add(now.owner_id, now.state, -1);
      counts.add(now.owner_id, task.state, 1);
      written.add(task.id);
    }
    counts.save(db);
    return written;
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
