// How many tasks each owner has in each state, kept in a table beside the tasks in the same transaction, so that
// telemetry does not count a million rows. (A trigger would do the same at three times the cost of the write.)

import { TASK_STATES, type TaskState } from '../../model/task.ts';
import { UNFINISHED_STATES } from '../../model/task-states.ts';
import type { Connection } from './connection.ts';

/** Gathers what one write changes; `save` must be the last step of that write. */
export class CountChanges {
  readonly #changes = new Map<string, { ownerId: string; state: TaskState; by: number }>();

  add(ownerId: string, state: TaskState, by: number): void {
    const key = `${state} ${ownerId}`;
    const change = this.#changes.get(key);
    if (change) change.by += by;
    else this.#changes.set(key, { ownerId, state, by });
  }

  save(db: Connection): void {
    for (const { ownerId, state, by } of this.#changes.values()) {
      if (by === 0) continue;
      db.run(
        `INSERT INTO task_counts (owner_id, state, count) VALUES (?, ?, ?)
         ON CONFLICT DO UPDATE SET count = count + excluded.count`,
        [ownerId, state, by],
      );
    }
  }
}

/** Of one owner, or of all. Inside a read. */
export function readCounts(db: Connection, ownerId: string | undefined): Record<TaskState, number> {
  const rows = db.all<{ state: TaskState; total: number }>(
    `SELECT state, sum(count) AS total FROM task_counts
     ${ownerId === undefined ? '' : 'WHERE owner_id = ?'} GROUP BY state`,
    ownerId === undefined ? [] : [ownerId],
  );
  const counts = Object.fromEntries(TASK_STATES.map((state) => [state, 0])) as Record<TaskState, number>;
  for (const { state, total } of rows) counts[state] = total;
  return counts;
}

/** Tasks of each owner that have not ended; who has none may be absent. Inside a read or a write. */
export function readUnfinished(db: Connection, ownerIds: readonly string[]): Map<string, number> {
  const rows = db.all<{ owner_id: string; total: number }>(
    `SELECT owner_id, sum(count) AS total FROM task_counts
     WHERE owner_id IN (SELECT value FROM json_each(?)) AND state IN (SELECT value FROM json_each(?))
     GROUP BY owner_id`,
    [JSON.stringify(ownerIds), JSON.stringify(UNFINISHED_STATES)],
  );
  return new Map(rows.map(({ owner_id, total }) => [owner_id, total]));
}
