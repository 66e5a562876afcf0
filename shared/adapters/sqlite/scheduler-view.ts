// What a scheduler reads of many tasks: little of each, and neither spec nor attempts. All of it runs inside a read.
//
// The database packs what it finds into one text of JSON, because the driver takes two to three times as long to hand
// over a million rows column by column.

import type { Allocation } from '../../model/held.ts';
import { labelReader } from '../../model/label-text.ts';
import type { QueuedTask, TaskStore } from '../../ports/task-store.ts';
import type { Connection } from './connection.ts';

type QueuedCells = readonly [
  id: string,
  ownerId: string,
  attempt: number,
  revision: number,
  priority: number,
  cpuMillis: number,
  memoryMb: number,
  gpus: number,
  storageMb: number,
  worker: string | null,
  labels: string,
  image: string,
  tag: string,
  /** As text, because SQLite writes fifteen digits of a number and one may have more. */
  kValue: string,
  notBefore: number,
  submittedAt: number,
  queuedAt: number,
  queueTimeoutSeconds: number,
];

const QUEUED_COLUMNS = `id, owner_id, attempt, revision, priority, cpu_millis, memory_mb, gpus, storage_mb,
  wanted_worker, labels, image, tag, k_value, not_before, submitted_at, queued_at,
  queue_timeout`;

export function readQueued(
  db: Connection,
  { after, limit, priority }: Parameters<TaskStore['queued']>[0],
): QueuedTask[] {
  const [index, only, values] =
    priority === undefined
      ? (['tasks_by_state', '', []] as const)
      : (['tasks_by_urgency', 'AND priority = ?', [priority]] as const);
  const found = packed<QueuedCells>(
    db,
    QUEUED_COLUMNS,
    `SELECT ${QUEUED_COLUMNS} FROM tasks INDEXED BY ${index}
     WHERE state = 'queued' ${only} AND id > ? ORDER BY id LIMIT ?`,
    [...values, after ?? '', limit],
  );
  const labelsOf = labelReader();
  // A million tasks name few images: each is kept once for a page, and not once for a task.
  const images = new Map(found.map((cells) => [cells[11], cells[11]]));
  return found.map((cells) => ({
    id: cells[0],
    ownerId: cells[1],
    attempt: cells[2],
    revision: cells[3],
    priority: cells[4],
    resources: { cpuMillis: cells[5], memoryMb: cells[6], gpus: cells[7], storageMb: cells[8] },
    worker: cells[9],
    labels: labelsOf(cells[10]),
    image: images.get(cells[11]) ?? cells[11],
    tag: cells[12],
    kValue: Number(cells[13]),
    notBefore: cells[14],
    submittedAt: cells[15],
    queuedAt: cells[16],
    queueTimeoutSeconds: cells[17],
  }));
}

type PlacedCells = readonly [
  id: string,
  ownerId: string,
  workerId: string,
  priority: number,
  attempt: number,
  state: Allocation['state'],
  cpuMillis: number,
  memoryMb: number,
  gpus: number,
  storageMb: number,
  gpuIds: string,
  assignedAt: number | null,
  isLeaving: 0 | 1,
];

/** Columns of the partial index over placed tasks, which alone answers the query. */
const PLACED_COLUMNS = `id, owner_id, worker_id, priority, attempt, state, cpu_millis, memory_mb, gpus, storage_mb,
  gpu_ids, assigned_at, is_leaving`;

export function readAllocations(db: Connection, workerId?: string): Allocation[] {
  const found = packed<PlacedCells>(
    db,
    PLACED_COLUMNS,
    `SELECT ${PLACED_COLUMNS} FROM tasks INDEXED BY tasks_placed
     WHERE state IN ('assigned', 'running') ${workerId === undefined ? '' : 'AND worker_id = ?'}`,
    workerId === undefined ? [] : [workerId],
  );
  return found.map((cells) => ({
    taskId: cells[0],
    ownerId: cells[1],
    workerId: cells[2],
    priority: cells[3],
    attempt: cells[4],
    state: cells[5],
    resources: { cpuMillis: cells[6], memoryMb: cells[7], gpus: cells[8], storageMb: cells[9] },
    gpuIds: cells[10] === '' ? [] : JSON.parse(cells[10]),
    assignedAt: cells[11] ?? 0,
    isLeaving: cells[12] === 1,
  }));
}

/** The rows of `select`, each a list of its columns. */
function packed<Cells>(
  db: Connection,
  columns: string,
  select: string,
  values: readonly (string | number)[],
): Cells[] {
  const row = db.first<{ cells: string }>(
    `SELECT json_group_array(json_array(${columns})) AS cells FROM (${select})`,
    values,
  );
  return JSON.parse(row?.cells ?? '[]') as Cells[];
}
