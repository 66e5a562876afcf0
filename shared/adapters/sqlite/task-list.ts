// Lists of the newest tasks. However many tasks there are, a page costs about as many rows as it shows: each
// query walks one index in order. It must never sort or count the whole table.

import type { TaskState } from '../../model/task.ts';
import { PLACED_STATES } from '../../model/task-states.ts';
import type { TaskFilter, TaskPage } from '../../ports/store.ts';
import type { Connection, Value } from './connection.ts';
import { foldCase, TASK_COLUMNS, type TaskRow, taskOf } from './task-record.ts';

/** Tasks that a search for text looks through before it lets other work of the process go on. */
const SEARCH_STEP = 4000;

interface Where {
  /** Index to use where SQLite would choose badly. */
  readonly hint: string;
  readonly conditions: readonly string[];
  readonly values: readonly Value[];
}

export async function listTasks(
  connection: Connection,
  filter: TaskFilter,
  page: { limit: number; before?: string | undefined },
): Promise<TaskPage> {
  const wanted = page.limit + 1;
  // One state at a time: with several, SQLite would read and sort all tasks in them.
  const states: readonly (TaskState | null)[] = filter.states ? [...new Set(filter.states)] : [null];
  const found: TaskRow[] = [];
  for (const state of states) {
    const where = whereOf(filter, state);
    if (filter.text === undefined || filter.text === '') {
      found.push(...(await connection.read(() => newest(connection, where, page.before, wanted))));
    } else {
      found.push(...(await search(connection, where, foldCase(filter.text), page.before, wanted)));
    }
  }
  found.sort((a, b) => (a.id < b.id ? 1 : -1));
  const tasks = found.slice(0, page.limit).map(taskOf);
  return { tasks, next: found.length > page.limit ? (tasks.at(-1)?.id ?? null) : null };
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

function newest(connection: Connection, where: Where, before: string | undefined, limit: number): TaskRow[] {
  const conditions = [...where.conditions];
  const values = [...where.values];
  if (before !== undefined) {
    conditions.push('t.id < ?');
    values.push(before);
  }
  return connection.all<TaskRow>(
    `SELECT ${TASK_COLUMNS} FROM tasks AS t ${where.hint} JOIN task_specs AS s ON s.n = t.n ${clause(conditions)}
     ORDER BY t.id DESC LIMIT ?`,
    [...values, limit],
  );
}

/** `needle` has its case folded. Goes through the tasks in steps, newest first, until there are enough. */
async function search(
  connection: Connection,
  where: Where,
  needle: string,
  before: string | undefined,
  limit: number,
): Promise<TaskRow[]> {
  const found: TaskRow[] = [];
  let upper = before;
  for (;;) {
    const step = await connection.read(() => {
      const conditions = upper === undefined ? where.conditions : [...where.conditions, 't.id < ?'];
      const values = upper === undefined ? where.values : [...where.values, upper];
      const end = connection.first<{ id: string }>(
        `SELECT t.id FROM tasks AS t ${where.hint} ${clause(conditions)} ORDER BY t.id DESC LIMIT 1 OFFSET ?`,
        [...values, SEARCH_STEP - 1],
      );
      const rows = connection.all<TaskRow>(
        `SELECT ${TASK_COLUMNS} FROM tasks AS t ${where.hint} JOIN task_specs AS s ON s.n = t.n
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
