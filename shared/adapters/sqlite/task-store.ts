// Tasks in SQLite: what is asked for often stands in columns, the spec and the attempts as JSON beside them.

import type { Resources } from '../../model/resources.ts';
import type { Attempt, CancelRequest, Task, TaskSpec, TaskState } from '../../model/task.ts';
import { TASK_STATES } from '../../model/task.ts';
import type {
  Allocation,
  InsertOutcome,
  QueuedTask,
  TaskFilter,
  TaskPage,
  TaskStore,
} from '../../ports/store.ts';
import { type Connection, guard, inTransaction, isConstraint } from './connection.ts';
import { Statements } from './statements.ts';

interface TaskRow {
  id: string;
  owner_id: string;
  owner_name: string;
  state: TaskState;
  revision: number;
  attempt: number;
  failures: number;
  losses: number;
  worker_id: string | null;
  reason: Task['reason'];
  exit_code: number | null;
  message: string | null;
  cancel: string | null;
  not_before: number;
  attempts: string;
  idempotency_key: string | null;
  request_hash: string | null;
  submitted_at: number;
  queued_at: number;
  assigned_at: number | null;
  started_at: number | null;
  finished_at: number | null;
  spec: string;
}

const COLUMNS =
  'id, owner_id, owner_name, state, revision, attempt, failures, losses, worker_id, reason, exit_code, message, cancel, not_before, attempts, idempotency_key, request_hash, submitted_at, queued_at, assigned_at, started_at, finished_at, spec';
const INSERT = `INSERT INTO tasks (${COLUMNS}, cpu_millis, memory_mb, gpus, storage_mb, priority, tag, wanted_worker, search_text)
  VALUES (${Array(31).fill('?').join(', ')})`;
const COMMIT = `UPDATE tasks SET state = ?, revision = ?, attempt = ?, failures = ?, losses = ?, worker_id = ?, reason = ?,
  exit_code = ?, message = ?, cancel = ?, not_before = ?, attempts = ?, queued_at = ?, assigned_at = ?, started_at = ?,
  finished_at = ? WHERE id = ? AND revision = ?`;
/** SQLite's own limit on parameters is far above; this keeps statements few and short. */
const IDS_PER_QUERY = 500;

export class SqliteTaskStore implements TaskStore {
  readonly #db: Connection;
  readonly #sql: Statements;

  constructor(db: Connection) {
    this.#db = db;
    this.#sql = new Statements(db);
  }

  async insert(tasks: readonly Task[]): Promise<InsertOutcome> {
    return guard(() => {
      try {
        inTransaction(this.#db, () => {
          const insert = this.#sql.of(INSERT);
          for (const task of tasks) insert.run(...insertValues(task));
        });
        return { kind: 'inserted' };
      } catch (error) {
        const existing = isConstraint(error) ? this.#holders(tasks) : [];
        if (existing.length === 0) throw error;
        return { kind: 'duplicate', existing };
      }
    });
  }

  #holders(tasks: readonly Task[]): Task[] {
    const find = this.#sql.of(`SELECT ${COLUMNS} FROM tasks WHERE owner_id = ? AND idempotency_key = ?`);
    return tasks.flatMap(({ ownerId, idempotencyKey }) => {
      const row =
        idempotencyKey === null ? undefined : (find.get(ownerId, idempotencyKey) as TaskRow | undefined);
      return row ? [toTask(row)] : [];
    });
  }

  async get(id: string): Promise<Task | null> {
    return guard(() => {
      const row = this.#sql.of(`SELECT ${COLUMNS} FROM tasks WHERE id = ?`).get(id) as TaskRow | undefined;
      return row ? toTask(row) : null;
    });
  }

  async getMany(ids: readonly string[]): Promise<Task[]> {
    return guard(() => {
      const found: Task[] = [];
      for (let at = 0; at < ids.length; at += IDS_PER_QUERY) {
        const part = ids.slice(at, at + IDS_PER_QUERY);
        const sql = `SELECT ${COLUMNS} FROM tasks WHERE id IN (SELECT value FROM json_each(?))`;
        for (const row of this.#sql.of(sql).all(JSON.stringify(part)) as TaskRow[]) found.push(toTask(row));
      }
      return found;
    });
  }

  async commit(next: Task): Promise<boolean> {
    return guard(() => this.#sql.of(COMMIT).run(...commitValues(next)).changes === 1);
  }

  async place(next: readonly Task[], term: number): Promise<ReadonlySet<string>> {
    return guard(() =>
      inTransaction(this.#db, () => {
        const written = new Set<string>();
        const newest = this.#sql.of("SELECT value FROM counters WHERE name = 'term'").get() as
          | { value: number }
          | undefined;
        if (newest && term < newest.value) return written;
        const commit = this.#sql.of(COMMIT);
        for (const task of next) {
          if (commit.run(...commitValues(task)).changes === 1) written.add(task.id);
        }
        return written;
      }),
    );
  }

  async list(filter: TaskFilter, page: { limit: number; before?: string | undefined }): Promise<TaskPage> {
    return guard(() => {
      const { where, values } = conditions(filter, page.before);
      const sql = `SELECT ${COLUMNS} FROM tasks ${where} ORDER BY id DESC LIMIT ?`;
      const rows = this.#sql.of(sql).all(...values, page.limit + 1) as TaskRow[];
      const tasks = rows.slice(0, page.limit).map(toTask);
      return { tasks, next: rows.length > page.limit ? (tasks.at(-1)?.id ?? null) : null };
    });
  }

  async countByState(ownerId?: string): Promise<Record<TaskState, number>> {
    return guard(() => {
      const counts = Object.fromEntries(TASK_STATES.map((state) => [state, 0])) as Record<TaskState, number>;
      const sql = ownerId
        ? 'SELECT state, COUNT(*) AS n FROM tasks WHERE owner_id = ? GROUP BY state'
        : 'SELECT state, COUNT(*) AS n FROM tasks GROUP BY state';
      const rows = this.#sql.of(sql).all(...(ownerId ? [ownerId] : [])) as { state: TaskState; n: number }[];
      for (const { state, n } of rows) counts[state] = n;
      return counts;
    });
  }

  async queued(page: { after?: string | undefined; limit: number }): Promise<QueuedTask[]> {
    return guard(() => {
      const sql = `SELECT id, owner_id, attempt, revision, priority, cpu_millis, memory_mb, gpus, storage_mb, wanted_worker,
        not_before, submitted_at, queued_at FROM tasks WHERE state = 'queued' AND id > ? ORDER BY id LIMIT ?`;
      const rows = this.#sql.of(sql).all(page.after ?? '', page.limit) as QueuedRow[];
      return rows.map(toQueued);
    });
  }

  async allocations(workerId?: string): Promise<Allocation[]> {
    return guard(() => {
      const sql = `SELECT id, worker_id, attempt, state, assigned_at, cpu_millis, memory_mb, gpus, storage_mb FROM tasks
        WHERE state IN ('assigned', 'running')${workerId === undefined ? '' : ' AND worker_id = ?'}`;
      const rows = this.#sql.of(sql).all(...(workerId === undefined ? [] : [workerId])) as AllocationRow[];
      return rows.map((row) => ({
        taskId: row.id,
        workerId: row.worker_id,
        attempt: row.attempt,
        state: row.state,
        resources: toResources(row),
        assignedAt: row.assigned_at,
      }));
    });
  }

  async countAhead(of: { priority: number; id: string }): Promise<number> {
    return guard(() => {
      const sql = `SELECT (SELECT COUNT(*) FROM tasks WHERE state = 'queued' AND priority > ?)
        + (SELECT COUNT(*) FROM tasks WHERE state = 'queued' AND priority = ? AND id < ?) AS n`;
      return (this.#sql.of(sql).get(of.priority, of.priority, of.id) as { n: number }).n;
    });
  }
}

interface ResourceColumns {
  cpu_millis: number;
  memory_mb: number;
  gpus: number;
  storage_mb: number;
}

interface QueuedRow extends ResourceColumns {
  id: string;
  owner_id: string;
  attempt: number;
  revision: number;
  priority: number;
  wanted_worker: string | null;
  not_before: number;
  submitted_at: number;
  queued_at: number;
}

interface AllocationRow extends ResourceColumns {
  id: string;
  worker_id: string;
  attempt: number;
  state: 'assigned' | 'running';
  assigned_at: number;
}

function conditions(
  filter: TaskFilter,
  before: string | undefined,
): { where: string; values: (string | number)[] } {
  const parts: string[] = [];
  const values: (string | number)[] = [];
  const add = (sql: string, ...of: string[]) => {
    parts.push(sql);
    values.push(...of);
  };
  if (filter.ownerId !== undefined) add('owner_id = ?', filter.ownerId);
  if (filter.states) {
    if (filter.states.length === 1) add('state = ?', filter.states[0] as string);
    else add(`state IN (${filter.states.map(() => '?').join(', ') || 'NULL'})`, ...filter.states);
  }
  // The second half lets the planner use the partial index.
  if (filter.tag !== undefined) add(filter.tag === '' ? 'tag = ?' : "tag = ? AND tag <> ''", filter.tag);
  if (filter.workerId !== undefined) add('worker_id = ?', filter.workerId);
  if (filter.text !== undefined) add('instr(search_text, ?) > 0', filter.text.toLowerCase());
  if (before !== undefined) add('id < ?', before);
  return { where: parts.length === 0 ? '' : `WHERE ${parts.join(' AND ')}`, values };
}

function insertValues(task: Task): (string | number | null)[] {
  const { spec } = task;
  return [
    task.id,
    task.ownerId,
    task.ownerName,
    task.state,
    task.revision,
    task.attempt,
    task.failures,
    task.losses,
    task.workerId,
    task.reason,
    task.exitCode,
    task.message,
    jsonOrNull(task.cancel),
    task.notBefore,
    JSON.stringify(task.attempts),
    task.idempotencyKey,
    task.requestHash,
    task.submittedAt,
    task.queuedAt,
    task.assignedAt,
    task.startedAt,
    task.finishedAt,
    JSON.stringify(spec),
    spec.resources.cpuMillis,
    spec.resources.memoryMb,
    spec.resources.gpus,
    spec.resources.storageMb,
    spec.priority,
    spec.tag,
    spec.worker,
    [task.id, spec.name, spec.image, spec.tag].join('\n').toLowerCase(),
  ];
}

function commitValues(next: Task): (string | number | null)[] {
  return [
    next.state,
    next.revision,
    next.attempt,
    next.failures,
    next.losses,
    next.workerId,
    next.reason,
    next.exitCode,
    next.message,
    jsonOrNull(next.cancel),
    next.notBefore,
    JSON.stringify(next.attempts),
    next.queuedAt,
    next.assignedAt,
    next.startedAt,
    next.finishedAt,
    next.id,
    next.revision - 1,
  ];
}

function toTask(row: TaskRow): Task {
  return {
    id: row.id,
    ownerId: row.owner_id,
    ownerName: row.owner_name,
    spec: JSON.parse(row.spec) as TaskSpec,
    state: row.state,
    revision: row.revision,
    attempt: row.attempt,
    failures: row.failures,
    losses: row.losses,
    workerId: row.worker_id,
    reason: row.reason,
    exitCode: row.exit_code,
    message: row.message,
    cancel: row.cancel === null ? null : (JSON.parse(row.cancel) as CancelRequest),
    notBefore: row.not_before,
    attempts: JSON.parse(row.attempts) as Attempt[],
    idempotencyKey: row.idempotency_key,
    requestHash: row.request_hash,
    submittedAt: row.submitted_at,
    queuedAt: row.queued_at,
    assignedAt: row.assigned_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
  };
}

function toQueued(row: QueuedRow): QueuedTask {
  return {
    id: row.id,
    ownerId: row.owner_id,
    attempt: row.attempt,
    revision: row.revision,
    priority: row.priority,
    resources: toResources(row),
    worker: row.wanted_worker,
    notBefore: row.not_before,
    submittedAt: row.submitted_at,
    queuedAt: row.queued_at,
  };
}

function toResources(row: ResourceColumns): Resources {
  return { cpuMillis: row.cpu_millis, memoryMb: row.memory_mb, gpus: row.gpus, storageMb: row.storage_mb };
}

function jsonOrNull(value: unknown): string | null {
  return value === null ? null : JSON.stringify(value);
}
