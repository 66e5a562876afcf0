// What waits, in order, and what ended, with little of each. All of it runs inside a read.

import { labelReader } from '../../model/label-text.ts';
import type { LabelDemand } from '../../model/labels.ts';
import type { TaskState } from '../../model/task.ts';
import type { EndedRun, QueueEntry, QueuePlace, TaskStore } from '../../ports/task-store.ts';
import type { Connection, Value } from './connection.ts';
import { type ResourceRow, resourcesOf } from './task-record.ts';

interface LineRow extends ResourceRow {
  id: string;
  owner_id: string;
  owner_name: string;
  attempt: number;
  priority: number;
  tag: string;
  wanted_worker: string | null;
  message: string;
  not_before: number;
  submitted_at: number;
  queued_at: number;
  image: string;
  name: string;
  labels: string;
  k_value: string;
  queue_timeout: number;
}

const TOP_PRIORITY = 9;

export function readLine(db: Connection, page: Parameters<TaskStore['inLine']>[0]): QueueEntry[] {
  const { ownerId, after, limit } = page;
  const found: QueueEntry[] = [];
  const labelsOf = labelReader();
  const [only, owner] =
    ownerId === undefined ? (['', []] as const) : (['AND owner_id = ?', [ownerId]] as const);
  // The index has the priorities in the other direction.
  for (let priority = after?.priority ?? TOP_PRIORITY; priority >= 0 && found.length < limit; priority -= 1) {
    const beyond = priority === after?.priority ? after.id : '';
    const rows = db.all<LineRow>(
      `SELECT t.id, t.owner_id, t.owner_name, t.attempt, t.priority, t.tag, t.wanted_worker, t.message, t.not_before,
         t.submitted_at, t.queued_at, t.cpu_millis, t.memory_mb, t.gpus, t.storage_mb, t.image, t.name,
         t.labels, t.k_value, t.queue_timeout
       FROM tasks AS t INDEXED BY tasks_by_urgency
       WHERE t.state = 'queued' AND t.priority = ? AND t.id > ? ${only} ORDER BY t.id LIMIT ?`,
      [priority, beyond, ...owner, limit - found.length],
    );
    for (const row of rows) found.push(entryOf(row, labelsOf(row.labels)));
  }
  return found;
}

function entryOf(row: LineRow, labels: LabelDemand): QueueEntry {
  return {
    id: row.id,
    ownerId: row.owner_id,
    ownerName: row.owner_name,
    name: JSON.parse(row.name),
    image: row.image,
    tag: row.tag,
    priority: row.priority,
    attempt: row.attempt,
    resources: resourcesOf(row),
    worker: row.wanted_worker,
    labels,
    kValue: Number(row.k_value),
    message: JSON.parse(row.message),
    queueTimeoutSeconds: row.queue_timeout,
    notBefore: row.not_before,
    submittedAt: row.submitted_at,
    queuedAt: row.queued_at,
  };
}

/** From the index alone. */
export function countAhead(db: Connection, of: QueuePlace, behind?: QueuePlace): number {
  const count = (condition: string, values: readonly Value[]) =>
    db.first<{ n: number }>(
      `SELECT count(*) AS n FROM tasks INDEXED BY tasks_by_urgency WHERE state = 'queued' AND ${condition}`,
      values,
    )?.n ?? 0;
  if (behind?.priority === of.priority) {
    return count('priority = ? AND id > ? AND id < ?', [of.priority, behind.id, of.id]);
  }
  const same = count('priority = ? AND id < ?', [of.priority, of.id]);
  if (!behind) return count('priority > ?', [of.priority]) + same;
  return (
    count('priority = ? AND id > ?', [behind.priority, behind.id]) +
    count('priority > ? AND priority < ?', [of.priority, behind.priority]) +
    same
  );
}

interface EndedRow {
  id: string;
  state: TaskState;
  reason: EndedRun['reason'];
  image: string;
  tag: string;
  k_value: string;
  submitted_at: number;
  started_at: number | null;
  finished_at: number;
}

export function readEndedRuns(db: Connection, page: Parameters<TaskStore['endedRuns']>[0]): EndedRun[] {
  // Nothing is before the empty id.
  const { finishedAt, id } = page.after ?? { finishedAt: page.since, id: '' };
  return db
    .all<EndedRow>(
      `SELECT t.id, t.state, t.reason, t.tag, t.submitted_at, t.started_at, t.finished_at, t.image,
         t.k_value
       FROM tasks AS t INDEXED BY tasks_by_end
       WHERE t.finished_at IS NOT NULL AND t.finished_at >= ? AND (t.finished_at, t.id) > (?, ?)
       ORDER BY t.finished_at, t.id LIMIT ?`,
      [page.since, finishedAt, id, page.limit],
    )
    .map((row) => ({
      id: row.id,
      state: row.state,
      reason: row.reason,
      image: row.image,
      tag: row.tag,
      kValue: Number(row.k_value),
      submittedAt: row.submitted_at,
      startedAt: row.started_at,
      finishedAt: row.finished_at,
    }));
}

export function readKinds(
  db: Connection,
  ids: readonly string[],
): { id: string; image: string; tag: string }[] {
  return db.all<{ id: string; image: string; tag: string }>(
    'SELECT id, tag, image FROM tasks WHERE id IN (SELECT value FROM json_each(?))',
    [JSON.stringify(ids)],
  );
}
