// A task as rows: `tasks` holds what changes, `task_specs` what never does. No decisions here.

import { heldGpuIds, isLeaving } from '../../model/held.ts';
import { labelText } from '../../model/label-text.ts';
import { demandOf } from '../../model/mounts.ts';
import { completeAttempts, completeSpec } from '../../model/older-task.ts';
import type { Resources } from '../../model/resources.ts';
import type { Task } from '../../model/task.ts';
import type { TaskSummary } from '../../model/task-summary.ts';
import type { Value } from './connection.ts';

export interface TaskRow {
  id: string;
  owner_id: string;
  owner_name: string;
  state: Task['state'];
  revision: number;
  attempt: number;
  failures: number;
  losses: number;
  worker_id: string | null;
  not_before: number;
  submitted_at: number;
  queued_at: number;
  assigned_at: number | null;
  started_at: number | null;
  finished_at: number | null;
  reason: Task['reason'];
  exit_code: number | null;
  message: string;
  cancel: string;
  attempts: string;
  idempotency_key: string | null;
  request_hash: string | null;
  spec: string;
}

export interface ResourceRow {
  cpu_millis: number;
  memory_mb: number;
  gpus: number;
  storage_mb: number;
}

/** Columns of `tasks AS t JOIN task_specs AS s` that make up a `TaskRow`. */
export const TASK_COLUMNS = `
  t.id, t.owner_id, t.owner_name, t.state, t.revision, t.attempt, t.failures, t.losses, t.worker_id, t.not_before,
  t.submitted_at, t.queued_at, t.assigned_at, t.started_at, t.finished_at, t.reason, t.exit_code, t.message,
  t.cancel, t.attempts, t.idempotency_key, t.request_hash, s.spec`;

/** Columns of `tasks AS t` alone that make up a `SummaryRow`. */
export const SUMMARY_COLUMNS = `
  t.id, t.owner_name, t.state, t.revision, t.attempt, t.worker_id, t.submitted_at, t.started_at, t.finished_at, t.reason,
  t.exit_code, t.cancel <> 'null' AS cancel_requested, t.name, t.image, t.tag, t.priority, t.cpu_millis, t.memory_mb,
  t.gpus`;

export interface SummaryRow
  extends Pick<
    TaskRow,
    | 'id'
    | 'owner_name'
    | 'state'
    | 'revision'
    | 'attempt'
    | 'worker_id'
    | 'submitted_at'
    | 'started_at'
    | 'finished_at'
    | 'reason'
    | 'exit_code'
  > {
  cancel_requested: 0 | 1;
  name: string;
  image: string;
  tag: string;
  priority: number;
  cpu_millis: number;
  memory_mb: number;
  gpus: number;
}

export function summaryOf(row: SummaryRow): TaskSummary {
  return {
    id: row.id,
    ownerName: row.owner_name,
    state: row.state,
    revision: row.revision,
    attempt: row.attempt,
    workerId: row.worker_id,
    reason: row.reason,
    exitCode: row.exit_code,
    submittedAt: row.submitted_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    name: JSON.parse(row.name),
    tag: row.tag,
    image: row.image,
    priority: row.priority,
    resources: { cpuMillis: row.cpu_millis, memoryMb: row.memory_mb, gpus: row.gpus },
    cancelRequested: row.cancel_requested === 1,
  };
}

export function taskOf(row: TaskRow): Task {
  return {
    id: row.id,
    ownerId: row.owner_id,
    ownerName: row.owner_name,
    spec: completeSpec(JSON.parse(row.spec)),
    state: row.state,
    revision: row.revision,
    attempt: row.attempt,
    failures: row.failures,
    losses: row.losses,
    workerId: row.worker_id,
    reason: row.reason,
    exitCode: row.exit_code,
    message: JSON.parse(row.message),
    cancel: JSON.parse(row.cancel),
    notBefore: row.not_before,
    attempts: completeAttempts(JSON.parse(row.attempts)),
    idempotencyKey: row.idempotency_key,
    requestHash: row.request_hash,
    submittedAt: row.submitted_at,
    queuedAt: row.queued_at,
    assignedAt: row.assigned_at,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
  };
}

export function resourcesOf(row: ResourceRow): Resources {
  return {
    cpuMillis: row.cpu_millis,
    memoryMb: row.memory_mb,
    gpus: row.gpus,
    storageMb: row.storage_mb,
  };
}

/** What a commit may change, in the order in which `valuesOf` gives the values. */
const CHANGING = [
  'state',
  'attempt',
  'failures',
  'losses',
  'worker_id',
  'not_before',
  'queued_at',
  'assigned_at',
  'started_at',
  'finished_at',
  'reason',
  'exit_code',
  'message',
  'cancel',
  'attempts',
  'gpu_ids',
  'is_leaving',
] as const;

function valuesOf(task: Task): Value[] {
  const gpuIds = heldGpuIds(task);
  return [
    task.state,
    task.attempt,
    task.failures,
    task.losses,
    task.workerId,
    task.notBefore,
    task.queuedAt,
    task.assignedAt,
    task.startedAt,
    task.finishedAt,
    task.reason,
    task.exitCode,
    JSON.stringify(task.message),
    JSON.stringify(task.cancel),
    JSON.stringify(task.attempts),
    gpuIds.length === 0 ? '' : JSON.stringify(gpuIds),
    Number(isLeaving(task)),
  ];
}

const FIXED = [
  'revision',
  'id',
  'owner_id',
  'owner_name',
  'priority',
  'tag',
  'wanted_worker',
  'cpu_millis',
  'memory_mb',
  'gpus',
  'storage_mb',
  'submitted_at',
  'idempotency_key',
  'request_hash',
  'has_webhook',
  'name',
  'image',
  'labels',
  'k_value',
  'queue_timeout',
] as const;

const ALL = [...CHANGING, ...FIXED];
export const INSERT_TASK = `INSERT INTO tasks (${ALL.join(', ')}) VALUES (${ALL.map(() => '?').join(', ')})`;
export const INSERT_SPEC = 'INSERT INTO task_specs (n, spec, search) VALUES (last_insert_rowid(), ?, ?)';
/** Compare-and-set: changes one row, or none when the revision is another. */
export const UPDATE_TASK = `UPDATE tasks SET ${CHANGING.map((column) => `${column} = ?`).join(', ')},
  revision = revision + 1 WHERE id = ? AND revision = ?`;

export function insertValues(task: Task): Value[] {
  const { spec } = task;
  return [
    ...valuesOf(task),
    task.revision,
    task.id,
    task.ownerId,
    task.ownerName,
    spec.priority,
    spec.tag,
    spec.worker,
    spec.resources.cpuMillis,
    spec.resources.memoryMb,
    spec.resources.gpus,
    spec.resources.storageMb,
    task.submittedAt,
    task.idempotencyKey,
    task.requestHash,
    spec.webhook === null ? 0 : 1,
    JSON.stringify(spec.name),
    spec.image,
    labelText(demandOf(spec)),
    JSON.stringify(spec.kValue),
    spec.queueTimeoutSeconds,
  ];
}

export function specValues(task: Task): Value[] {
  const { name, image, tag } = task.spec;
  return [JSON.stringify(task.spec), [task.id, name, image, tag].map(foldCase).join('\n')];
}

export function updateValues(next: Task): Value[] {
  return [...valuesOf(next), next.id, next.revision - 1];
}

/** Text as it is searched. SQLite folds the case of ASCII only. */
export function foldCase(text: string): string {
  return text.toLowerCase();
}
