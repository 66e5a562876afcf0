// Tasks in SQLite. Every write is one transaction; compare-and-set is the WHERE of the update.

import { AppError } from '../../errors.ts';
import { labelReader } from '../../model/label-text.ts';
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
import { CountChanges, readCounts, readUnfinished } from './task-counts.ts';
import { countAhead, readEndedRuns, readKinds, readLine } from './task-line.ts';
import { listSummaries, listTasks } from './task-list.ts';
import {
  INSERT_SPEC,
  INSERT_TASK,
  insertValues,
  type ResourceRow,
  resourcesOf,
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

/** Columns of the partial index over placed tasks, which alone answers the query. */
const ALLOCATION_COLUMNS =
  'id, owner_id, worker_id, priority, attempt, state, cpu_millis, memory_mb, gpus, storage_mb, gpu_ids, assigned_at, ' +
  'is_leaving';

interface AllocationRow extends ResourceRow {
  id: string;
  owner_id: string;
  worker_id: string;
  priority: number;
  attempt: number;
  state: 'assigned' | 'running';
  gpu_ids: string;
  assigned_at: number | null;
  is_leaving: 0 | 1;
}

interface QueuedRow extends ResourceRow {
  id: string;
  owner_id: string;
  attempt: number;
  revision: number;
  priority: number;
  wanted_worker: string | null;
  labels: string;
  image: string;
  tag: string;
  k_value: number;
  not_before: number;
  submitted_at: number;
  queued_at: number;
}

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

  queued({ after, limit, priority }: Parameters<TaskStore['queued']>[0]): Promise<QueuedTask[]> {
    const db = this.#connection;
    const [index, only, values] =
      priority === undefined
        ? (['tasks_by_state', '', []] as const)
        : (['tasks_by_urgency', 'AND priority = ?', [priority]] as const);
    const labelsOf = labelReader();
    return db.read(() =>
      db
        .all<QueuedRow>(
          `SELECT id, owner_id, attempt, revision, priority, cpu_millis, memory_mb, gpus, storage_mb,
             wanted_worker, labels, image, tag, k_value, not_before, submitted_at, queued_at
           FROM tasks INDEXED BY ${index} WHERE state = 'queued' ${only} AND id > ? ORDER BY id LIMIT ?`,
          [...values, after ?? '', limit],
        )
        .map((row) => ({
          id: row.id,
          ownerId: row.owner_id,
          attempt: row.attempt,
          revision: row.revision,
          priority: row.priority,
          resources: resourcesOf(row),
          worker: row.wanted_worker,
          labels: labelsOf(row.labels),
          image: row.image,
          tag: row.tag,
          kValue: row.k_value,
          notBefore: row.not_before,
          submittedAt: row.submitted_at,
          queuedAt: row.queued_at,
        })),
    );
  }

  allocations(workerId?: string): Promise<Allocation[]> {
    const db = this.#connection;
    return db.read(() =>
      db
        .all<AllocationRow>(
          `SELECT ${ALLOCATION_COLUMNS} FROM tasks INDEXED BY tasks_placed
           WHERE state IN ('assigned', 'running') ${workerId === undefined ? '' : 'AND worker_id = ?'}`,
          workerId === undefined ? [] : [workerId],
        )
        .map((row) => ({
          taskId: row.id,
          ownerId: row.owner_id,
          workerId: row.worker_id,
          priority: row.priority,
          attempt: row.attempt,
          state: row.state,
          resources: resourcesOf(row),
          gpuIds: row.gpu_ids === '' ? [] : JSON.parse(row.gpu_ids),
          assignedAt: row.assigned_at ?? 0,
          isLeaving: row.is_leaving === 1,
        })),
    );
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
