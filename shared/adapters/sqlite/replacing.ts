// Puts the contents of an attached database, `copy`, in the place of what is there: one transaction, so that every other
// process sees all of it at once, and a crash leaves what was before. What becomes of tasks is decided in
// shared/model/restored-task.ts.

import { AppError } from '../../errors.ts';
import type { CopyComparison } from '../../model/copy-comparison.ts';
import { ATTEMPT_STEP, type PresentTask, REVISION_STEP, restoredTask } from '../../model/restored-task.ts';
import type { DatabaseThread } from './database-thread.ts';
import { NEWEST_VERSION } from './migrations.ts';
import { TASK_COLUMNS, type TaskRow, taskOf, UPDATE_TASK, updateValues } from './task-record.ts';

/** Of the file itself. */
const NOT_CONTENTS = ['schema_version', 'schema_releases', 'cluster'];
/** What machines say of themselves holds now, whatever the records say, and what was done was done: there the copy only adds. */
const ONLY_ADDED = ['workers', 'registrations', 'history', 'audit'];

const UNFINISHED = `('queued', 'assigned', 'running')`;

export async function compareContents(db: DatabaseThread): Promise<CopyComparison> {
  const [found] = await db.all<Record<keyof CopyComparison, number>>(`
    SELECT
      (SELECT count(*) FROM main.tasks) AS tasksNow,
      (SELECT count(*) FROM copy.tasks) AS tasksInCopy,
      (SELECT count(*) FROM main.tasks WHERE id NOT IN (SELECT id FROM copy.tasks)) AS tasksLost,
      (SELECT count(*) FROM main.tasks WHERE state IN ${UNFINISHED} AND id NOT IN (SELECT id FROM copy.tasks))
        AS unfinishedLost,
      (SELECT count(*) FROM copy.tasks AS c JOIN main.tasks AS m ON m.id = c.id
        WHERE c.state IN ${UNFINISHED} AND m.state NOT IN ${UNFINISHED}) AS tasksAgain,
      (SELECT count(*) FROM main.users WHERE id NOT IN (SELECT id FROM copy.users)) AS usersLost`);
  if (!found) throw new AppError('internal', 'two databases could not be compared');
  return { ...found };
}

/**
 * `keepPresent` is run when nobody else can write any more, so what it keeps is all there was.
 * Returns the new generation.
 */
export async function replaceContents(
  db: DatabaseThread,
  { now, keepPresent }: { now: number; keepPresent: () => Promise<void> },
): Promise<number> {
  await db.exec('BEGIN IMMEDIATE');
  const tables = await tablesToReplace(db);
  await keepPresent();
  await rememberPresent(db);
  for (const { name, columns } of tables) {
    const list = columns.join(', ');
    if (ONLY_ADDED.includes(name)) {
      // One that has joined since is not to be called again.
      const only = name === 'registrations' ? 'WHERE id NOT IN (SELECT id FROM main.workers)' : '';
      await db.exec(`INSERT OR IGNORE INTO main.${name} (${list}) SELECT ${list} FROM copy.${name} ${only}`);
    } else {
      await db.exec(`DELETE FROM main.${name}`);
      await db.exec(`INSERT INTO main.${name} (${list}) SELECT ${list} FROM copy.${name}`);
    }
  }
  await restoreTasks(db, now);
  await restoreUsers(db);
  const generation = await raiseCounters(db);
  await db.exec('COMMIT');
  return generation;
}

interface TableToReplace {
  readonly name: string;
  readonly columns: readonly string[];
}

async function tablesToReplace(db: DatabaseThread): Promise<TableToReplace[]> {
  const [row] = await db.all<{ version: number }>('SELECT version FROM main.schema_version');
  if (row?.version !== NEWEST_VERSION) {
    throw new AppError(
      'conflict',
      `the records of this cluster are of version ${row?.version}, and this process knows ${NEWEST_VERSION}: upgrade it`,
    );
  }
  const read = (schema: string) =>
    db.all<{ name: string; columns: string }>(
      `SELECT m.name, group_concat(quote(i.name)) AS columns
       FROM ${schema}.sqlite_master AS m, pragma_table_info(m.name, '${schema}') AS i
       WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' GROUP BY m.name ORDER BY m.name`,
    );
  const known = (await read('main')).filter(({ name }) => !NOT_CONTENTS.includes(name));
  const theirs = new Map((await read('copy')).map(({ name, columns }) => [name, columns]));
  const other = known.find(({ name, columns }) => theirs.get(name) !== columns);
  if (other) {
    throw new AppError(
      'invalid_request',
      `the backup cannot be used: its table ${other.name} is another one`,
    );
  }
  return known.map(({ name, columns }) => ({
    name,
    columns: columns.split(',').map((column) => `"${column.slice(1, -1)}"`),
  }));
}

/** What the present record says of tasks that had not ended in the copy, and of accounts. */
async function rememberPresent(db: DatabaseThread): Promise<void> {
  await db.exec(`
    CREATE TEMP TABLE present_tasks (
      id TEXT PRIMARY KEY, state TEXT, revision INTEGER, attempt INTEGER, worker_id TEXT
    ) WITHOUT ROWID;
    INSERT INTO temp.present_tasks SELECT id, state, revision, attempt, worker_id FROM main.tasks
      WHERE id IN (SELECT id FROM copy.tasks WHERE state IN ${UNFINISHED});
    CREATE TEMP TABLE present_users (id TEXT PRIMARY KEY, revision INTEGER, epoch INTEGER, ended TEXT) WITHOUT ROWID;
    INSERT INTO temp.present_users
      SELECT id, revision, coalesce(record ->> '$.signInEpoch', 0), coalesce(record -> '$.endedSignIns', '[]')
      FROM main.users;`);
}

async function restoreTasks(db: DatabaseThread, now: number): Promise<void> {
  // Queued ones here, for there may be a million: an attempt that may have begun since is not used again.
  await db.exec(`
    UPDATE main.tasks SET
      attempt = CASE
        WHEN tasks.state <> 'queued' THEN tasks.attempt
        WHEN p.id IS NULL THEN tasks.attempt + ${ATTEMPT_STEP}
        WHEN p.attempt > tasks.attempt OR p.state <> 'queued' THEN max(p.attempt, tasks.attempt) + 1
        ELSE tasks.attempt END,
      revision = max(tasks.revision, coalesce(p.revision, 0)) + ${REVISION_STEP}
    FROM (SELECT c.id AS task_id, b.* FROM copy.tasks AS c LEFT JOIN temp.present_tasks AS b ON b.id = c.id
          WHERE c.state IN ${UNFINISHED}) AS p
    WHERE tasks.id = p.task_id`);
  const placed = await db.all<TaskRow>(
    `SELECT ${TASK_COLUMNS} FROM copy.tasks AS t JOIN copy.task_specs AS s ON s.n = t.n
     WHERE t.state IN ('assigned', 'running')`,
  );
  const present = new Map(
    (
      await db.all<PresentTask & { id: string }>(
        'SELECT id, state, revision, attempt, worker_id AS workerId FROM temp.present_tasks',
      )
    ).map((task) => [task.id, task]),
  );
  for (const task of placed.map(taskOf)) {
    const next = restoredTask(task, present.get(task.id) ?? null, now);
    if (next.state === task.state) continue;
    await db.run(UPDATE_TASK, updateValues({ ...next, revision: next.revision + 1 }));
  }
  await db.exec(`
    DELETE FROM main.task_counts;
    INSERT INTO main.task_counts SELECT owner_id, state, count(*) FROM main.tasks GROUP BY owner_id, state;`);
}

/** Sign-ins that were ended since stay ended, although the account is as it was. */
async function restoreUsers(db: DatabaseThread): Promise<void> {
  await db.exec(`
    UPDATE main.users SET
      revision = max(users.revision, p.revision) + 1,
      record = json_set(record,
        '$.revision', max(users.revision, p.revision) + 1,
        '$.signInEpoch', max(coalesce(record ->> '$.signInEpoch', 0), p.epoch),
        '$.endedSignIns', json(p.ended))
    FROM temp.present_users AS p WHERE p.id = users.id`);
}

async function raiseCounters(db: DatabaseThread): Promise<number> {
  await db.exec(`
    INSERT OR IGNORE INTO main.cluster SELECT name, value FROM copy.cluster WHERE name NOT IN ('term', 'generation');
    UPDATE main.cluster SET value = 1 + max(value, (SELECT value FROM copy.cluster WHERE name = 'term'))
      WHERE name = 'term';
    INSERT INTO main.cluster VALUES ('generation', 1) ON CONFLICT (name) DO UPDATE SET value = value + 1;`);
  const [row] = await db.all<{ value: number }>(`SELECT value FROM main.cluster WHERE name = 'generation'`);
  return row?.value ?? 0;
}
