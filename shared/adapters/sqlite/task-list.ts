// Lists of the newest tasks. However many tasks there are, a page costs about as many rows as it shows: each
// query walks one index in order. It must never sort or count the whole table.

import type { TaskState } from '../../model/task.ts';
import { PLACED_STATES } from '../../model/task-states.ts';
import type { TaskFilter, TaskPage, TaskSummaryPage } from '../../ports/task-store.ts';
import type { Connection, Value } from './connection.ts';
import {
  foldCase,
  SUMMARY_COLUMNS,
  type SummaryRow,
  summaryOf,
  TASK_COLUMNS,
  type TaskRow,
  taskOf,
} from './task-record.ts';

/** Tasks that a search for text looks through before it lets other work of the process go on. */
const SEARCH_STEP = 4000;
const WITH_SPEC = 'JOIN task_specs AS s ON s.n = t.n';

interface Where {
  /** Index to use where SQLite would choose badly. */
  readonly hint: string;
  readonly conditions: readonly string[];
  readonly values: readonly Value[];
}

/** What is read of each task, and whether that needs its specs. */
interface Shape {
  readonly columns: string;
  readonly withSpec: boolean;
}

interface Page {
  readonly limit: number;
  readonly before?: string | undefined;
}

export async function listTasks(connection: Connection, filter: TaskFilter, page: Page): Promise<TaskPage> {
  const whole: Shape = { columns: TASK_COLUMNS, withSpec: true };
  const { rows, next } = await listRows<TaskRow>(connection, whole, filter, page);
  return { tasks: rows.map(taskOf), next };
}

export async function listSummaries(
  connection: Connection,
  filter: TaskFilter,
  page: Page,
): Promise<TaskSummaryPage> {
  const short: Shape = { columns: SUMMARY_COLUMNS, withSpec: false };
  const { rows, next } = await listRows<SummaryRow>(connection, short, filter, page);
  return { tasks: rows.map(summaryOf), next };
}

async function listRows<Row extends { id: string }>(
  connection: Connection,
  shape: Shape,
  filter: TaskFilter,
  page: Page,
): Promise<{ rows: Row[]; next: string | null }> {
  const wanted = page.limit + 1;
  // One state at a time: with several, SQLite would read and sort all tasks in them.
  const states: readonly (TaskState | null)[] = filter.states ? [...new Set(filter.states)] : [null];
  const found: Row[] = [];
  for (const state of states) {
    const where = whereOf(filter, state);
    if (filter.text === undefined || filter.text === '') {
      found.push(
        ...(await connection.read(() => newest<Row>(connection, shape, where, page.before, wanted))),
      );
    } else {
      found.push(
        ...(await search<Row>(connection, shape, where, foldCase(filter.text), page.before, wanted)),
      );
    }
  }
  found.sort((a, b) => (a.id < b.id ? 1 : -1));
  const rows = found.slice(0, page.limit);
  return { rows, next: found.length > page.limit ? (rows.at(-1)?.id ?? null) : null };
}

function whereOf(filter: TaskFilter, state: TaskState | null): Where {
  const conditions: string[] = [];
  const values: Value[] = [];
  let hint = '';
  const add = (condition: string, value: Value) => {
    conditions.push(condition);
    values.push(value);
  };
  if (filter.ownerId !== undefined) add('t.owner_id = ?', filter.ownerId);
  if (filter.tag !== undefined) {
    add('t.tag = ?', filter.tag);
    // Names the condition of the partial index.
    if (filter.tag !== '') conditions.push(`t.tag <> ''`);
  }
  if (filter.workerId !== undefined) add('t.worker_id = ?', filter.workerId);
  if (state !== null) {
    const isPlaced = (PLACED_STATES as readonly TaskState[]).includes(state);
    const { tag, workerId } = filter;
    // Which index serves best SQLite cannot know without statistics. A plus keeps the index of states out of it:
    // a tag or a worker is rarer than a state, but placed tasks are fewer still, and those of a worker fewest,
    // which have an index of their own.
    if (workerId !== undefined && isPlaced) {
      conditions.push(`t.state IN ('assigned', 'running')`);
      hint = 'INDEXED BY tasks_placed';
    }
    const rarer = workerId !== undefined || (tag !== undefined && !isPlaced);
    add(rarer ? '+t.state = ?' : 't.state = ?', state);
  }
  return { hint, conditions, values };
}

function newest<Row>(
  connection: Connection,
  shape: Shape,
  where: Where,
  before: string | undefined,
  limit: number,
): Row[] {
  const conditions = [...where.conditions];
  const values = [...where.values];
  if (before !== undefined) {
    conditions.push('t.id < ?');
    values.push(before);
  }
  return connection.all<Row>(
    `SELECT ${shape.columns} FROM tasks AS t ${where.hint} ${shape.withSpec ? WITH_SPEC : ''} ${clause(conditions)}
     ORDER BY t.id DESC LIMIT ?`,
    [...values, limit],
  );
}

/** `needle` has its case folded. Goes through the tasks in steps, newest first, until there are enough. */
async function search<Row>(
  connection: Connection,
  shape: Shape,
  where: Where,
  needle: string,
  before: string | undefined,
  limit: number,
): Promise<Row[]> {
  const found: Row[] = [];
  let upper = before;
  for (;;) {
    const step = await connection.read(() => {
      const conditions = upper === undefined ? where.conditions : [...where.conditions, 't.id < ?'];
      const values = upper === undefined ? where.values : [...where.values, upper];
      const end = connection.first<{ id: string }>(
        `SELECT t.id FROM tasks AS t ${where.hint} ${clause(conditions)} ORDER BY t.id DESC LIMIT 1 OFFSET ?`,
        [...values, SEARCH_STEP - 1],
      );
      const rows = connection.all<Row>(
        `SELECT ${shape.columns} FROM tasks AS t ${where.hint} ${WITH_SPEC}
         ${clause([...conditions, ...(end ? ['t.id >= ?'] : []), 'instr(s.search, ?) > 0'])}
         ORDER BY t.id DESC LIMIT ?`,
        [...values, ...(end ? [end.id] : []), needle, limit - found.length],
      );
      return { rows, end: end?.id };
    });
    found.push(...step.rows);
    if (step.end === undefined || found.length >= limit) return found;
    upper = step.end;
    await new Promise<void>((next) => setImmediate(next));
  }
}

function clause(conditions: readonly string[]): string {
  return conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
}
