// A task as a document. No decisions here.

import { heldGpuIds, isLeaving } from '../../model/held.ts';
import { labelText } from '../../model/label-text.ts';
import { demandOf } from '../../model/mounts.ts';
import { completeAttempts, completeSpec } from '../../model/older-task.ts';
import type { Task, TaskState } from '../../model/task.ts';
import type { TaskSummary } from '../../model/task-summary.ts';

export interface TaskDocument {
  _id: string;
  /** Owner and idempotency key, or the id of a task without one: unique in both cases. */
  submission: string;
  ownerId: string;
  ownerName: string;
  /** `hidden` while the batch it belongs to is on its way in. */
  state: TaskState | 'hidden';
  /** Only while hidden: its batch, and the state it will show. */
  batch?: string;
  shows?: TaskState;
  /** The last pass of `place` that wrote it. */
  pass?: string;
  revision: number;
  attempt: number;
  failures: number;
  losses: number;
  workerId: string | null;
  priority: number;
  tag: string;
  wantedWorker: string | null;
  cpuMillis: number;
  memoryMb: number;
  gpus: number;
  storageMb: number;
  notBefore: number;
  submittedAt: number;
  queuedAt: number;
  assignedAt: number | null;
  startedAt: number | null;
  finishedAt: number | null;
  reason: Task['reason'];
  exitCode: number | null;
  idempotencyKey: string | null;
  requestHash: string | null;
  /** Not there in documents of earlier releases. */
  hasWebhook?: boolean;
  /** The name as JSON. Neither is there in documents of earlier releases, but `spec` has both, too. */
  name?: string;
  image?: string;
  /** What is demanded of labels, as text. Absent, as all down to `search`, in documents of earlier releases. */
  labels?: string;
  kValue?: number;
  /** Of the placed attempt, as JSON; empty for none. */
  gpuIds?: string;
  isLeaving?: boolean;
  /** Absent where a task may wait for ever because it is older than the field. */
  queueTimeoutSeconds?: number;
  /** Id, name, image and tag in lower case. */
  search: string;
  /** The rest as JSON. */
  message: string;
  cancel: string;
  attempts: string;
  spec: string;
}

export function submissionOf(task: Pick<Task, 'id' | 'ownerId' | 'idempotencyKey'>): string {
  return JSON.stringify(task.idempotencyKey === null ? [task.id] : [task.ownerId, task.idempotencyKey]);
}

export function documentOf(task: Task): TaskDocument {
  const { spec } = task;
  return {
    _id: task.id,
    submission: submissionOf(task),
    ownerId: task.ownerId,
    ownerName: task.ownerName,
    revision: task.revision,
    priority: spec.priority,
    tag: spec.tag,
    wantedWorker: spec.worker,
    ...spec.resources,
    submittedAt: task.submittedAt,
    idempotencyKey: task.idempotencyKey,
    requestHash: task.requestHash,
    hasWebhook: spec.webhook !== null,
    name: JSON.stringify(spec.name),
    image: spec.image,
    labels: labelText(demandOf(spec)),
    kValue: spec.kValue,
    queueTimeoutSeconds: spec.queueTimeoutSeconds,
    search: [task.id, spec.name, spec.image, spec.tag].join('\n').toLowerCase(),
    spec: JSON.stringify(spec),
    ...changingFields(task),
  };
}

/** What a commit may change. */
export function changingFields(task: Task) {
  const gpuIds = heldGpuIds(task);
  return {
    state: task.state,
    attempt: task.attempt,
    failures: task.failures,
    losses: task.losses,
    workerId: task.workerId,
    notBefore: task.notBefore,
    queuedAt: task.queuedAt,
    assignedAt: task.assignedAt,
    startedAt: task.startedAt,
    finishedAt: task.finishedAt,
    reason: task.reason,
    exitCode: task.exitCode,
    message: JSON.stringify(task.message),
    cancel: JSON.stringify(task.cancel),
    attempts: JSON.stringify(task.attempts),
    gpuIds: gpuIds.length === 0 ? '' : JSON.stringify(gpuIds),
    isLeaving: isLeaving(task),
  } satisfies Partial<TaskDocument>;
}

/** Of a document that is not hidden. */
export function taskOf(doc: TaskDocument): Task {
  return {
    id: doc._id,
    ownerId: doc.ownerId,
    ownerName: doc.ownerName,
    spec: completeSpec(JSON.parse(doc.spec)),
    state: doc.state as TaskState,
    revision: doc.revision,
    attempt: doc.attempt,
    failures: doc.failures,
    losses: doc.losses,
    workerId: doc.workerId,
    reason: doc.reason,
    exitCode: doc.exitCode,
    message: JSON.parse(doc.message),
    cancel: JSON.parse(doc.cancel),
    notBefore: doc.notBefore,
    attempts: completeAttempts(JSON.parse(doc.attempts)),
    idempotencyKey: doc.idempotencyKey,
    requestHash: doc.requestHash,
    submittedAt: doc.submittedAt,
    queuedAt: doc.queuedAt,
    assignedAt: doc.assignedAt,
    startedAt: doc.startedAt,
    finishedAt: doc.finishedAt,
  };
}

/** What is read for a summary: neither spec nor attempts. */
export const SUMMARY_FIELDS = {
  ownerName: 1,
  state: 1,
  revision: 1,
  attempt: 1,
  workerId: 1,
  reason: 1,
  exitCode: 1,
  submittedAt: 1,
  startedAt: 1,
  finishedAt: 1,
  cancel: 1,
  name: 1,
  image: 1,
  tag: 1,
  priority: 1,
  cpuMillis: 1,
  memoryMb: 1,
  gpus: 1,
} as const;

export type SummaryDocument = Pick<TaskDocument, '_id' | keyof typeof SUMMARY_FIELDS>;

export function summaryOf(
  doc: SummaryDocument & Required<Pick<TaskDocument, 'name' | 'image'>>,
): TaskSummary {
  return {
    id: doc._id,
    ownerName: doc.ownerName,
    state: doc.state as TaskState,
    revision: doc.revision,
    attempt: doc.attempt,
    workerId: doc.workerId,
    reason: doc.reason,
    exitCode: doc.exitCode,
    submittedAt: doc.submittedAt,
    startedAt: doc.startedAt,
    finishedAt: doc.finishedAt,
    name: JSON.parse(doc.name),
    tag: doc.tag,
    image: doc.image,
    priority: doc.priority,
    resources: { cpuMillis: doc.cpuMillis, memoryMb: doc.memoryMb, gpus: doc.gpus },
    cancelRequested: doc.cancel !== 'null',
  };
}

export function resourcesOf(doc: Pick<TaskDocument, 'cpuMillis' | 'memoryMb' | 'gpus' | 'storageMb'>) {
  return { cpuMillis: doc.cpuMillis, memoryMb: doc.memoryMb, gpus: doc.gpus, storageMb: doc.storageMb };
}
