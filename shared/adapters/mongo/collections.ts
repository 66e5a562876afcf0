// The collections, their documents and their indexes. Records in full are kept as JSON text: BSON cannot hold
// every string (lone surrogates) nor every key (dots, a dollar sign) exactly as it was put in.

import type { Collection, Db, GridFSChunk, GridFSFile, IndexSpecification, ObjectId } from 'mongodb';
import type { Grain } from '../../model/history.ts';
import type { DeliveryState } from '../../model/webhook.ts';
import type { Liveness, Maintenance } from '../../model/worker.ts';
import type { TaskDocument } from './task-document.ts';

export interface CounterDocument {
  _id: 'term';
  value: number;
}

/** At most one: who is, or is about to be, the first admin. */
export interface AdminClaimDocument {
  _id: 'first_admin';
  userId: string;
  at: number;
}

/** A batch on its way in; see `task-batches.ts`. */
export interface BatchDocument {
  _id: string;
  state: 'open' | 'committed' | 'given_up';
  /** When it was begun, by the clock of its writer. */
  at: number;
}

export interface WorkerDocument {
  _id: string;
  registration: string;
  maintenance: Maintenance;
  liveness: Liveness;
  livenessAt: number;
  /** Absent: null. */
  drainUntil?: number | null;
}

export interface RegistrationDocument {
  /** Id of the worker. */
  _id: string;
  wish: string;
  revision: number;
  nextAt: number;
  record: string;
}

export interface UserDocument {
  _id: string;
  usernameKey: string;
  record: string;
  /** Goes before that of the record. Absent, as the next one, in documents of earlier releases: 0. */
  revision?: number;
  activeAdmin?: boolean;
  /** Whether it limits what tasks may hold at a time. Absent in documents of earlier releases, which knew no such limits. */
  isLimited?: boolean;
}

/** At most one: which admin is losing the right now; see `admin-guard.ts`. */
export interface AdminGuardDocument {
  _id: 'leaving_admin';
  userId: string;
  /** Of this taking. */
  token: string;
  /** By the clock of its taker. */
  at: number;
}

export interface TokenDocument {
  _id: string;
  userId: string;
  hash: string;
  createdAt: number;
  lastUsedAt: number | null;
  record: string;
}

export interface FileDocument {
  /** Owner, task, attempt and path: there is one record of each. */
  _id: string;
  id: string;
  ownerId: string;
  /** `''` for an upload. */
  taskId: string;
  /** 0 for an upload. */
  attempt: number;
  path: string;
  sizeBytes: number;
  record: string;
}

export interface PointDocument {
  /** Series, grain and time: there is one point of each. */
  _id: string;
  series: string;
  grain: Grain;
  at: number;
  /** What was measured, as JSON. */
  metrics: string;
}

export interface WebhookDocument {
  _id: string;
  ownerId: string;
  createdAt: number;
  record: string;
}

export interface SigningSecretDocument {
  /** Id of the owner. */
  _id: string;
  secret: string;
}

export interface DeliveryDocument {
  _id: string;
  ownerId: string;
  webhookId: string | null;
  taskId: string;
  state: DeliveryState;
  nextAt: number;
  revision: number;
  createdAt: number;
  record: string;
}

export interface AuditDocument {
  /** In order of time. */
  _id: string;
  actorId: string | null;
  action: string;
  target: string | null;
  record: string;
}

/** A file that is being written, so that what a dead writer left of it can be found. */
export interface UploadDocument {
  /** Of the file in GridFS. */
  _id: ObjectId;
  /** When it was begun, by the clock of its writer. */
  at: number;
}

/** A file on its way in that is sent in several goes. */
export interface ResumableUploadDocument {
  _id: string;
  ownerId: string;
  /** Not finished. */
  open: boolean;
  createdAt: number;
  expiresAt: number;
  revision: number;
  record: string;
}

export interface LogChunkDocument {
  /** Task, attempt and first number. */
  _id: string;
  taskId: string;
  attempt: number;
  firstSeq: number;
  lastSeq: number;
  /** Lines of the attempt up to the end of this chunk. */
  stdoutLines: number;
  stderrLines: number;
  /** One line of JSON for each line. */
  text: string;
}

export interface Collections {
  readonly counters: Collection<CounterDocument>;
  readonly adminClaims: Collection<AdminClaimDocument>;
  readonly adminGuards: Collection<AdminGuardDocument>;
  readonly tasks: Collection<TaskDocument>;
  readonly batches: Collection<BatchDocument>;
  readonly workers: Collection<WorkerDocument>;
  readonly registrations: Collection<RegistrationDocument>;
  readonly users: Collection<UserDocument>;
  readonly tokens: Collection<TokenDocument>;
  readonly files: Collection<FileDocument>;
  readonly logs: Collection<LogChunkDocument>;
  readonly history: Collection<PointDocument>;
  readonly webhooks: Collection<WebhookDocument>;
  readonly signingSecrets: Collection<SigningSecretDocument>;
  readonly deliveries: Collection<DeliveryDocument>;
  readonly audit: Collection<AuditDocument>;
  readonly uploads: Collection<UploadDocument>;
  readonly resumableUploads: Collection<ResumableUploadDocument>;
  /** GridFS writes these two; they stand here for their indexes. */
  readonly blobFiles: Collection<GridFSFile>;
  readonly blobChunks: Collection<GridFSChunk>;
}

/** Of GridFS. */
export const BUCKET_NAME = 'blobs';

export function collectionsOf(db: Db): Collections {
  return {
    counters: db.collection('counters'),
    adminClaims: db.collection('admin_claims'),
    adminGuards: db.collection('admin_guards'),
    tasks: db.collection('tasks'),
    batches: db.collection('task_batches'),
    workers: db.collection('workers'),
    registrations: db.collection('registrations'),
    users: db.collection('users'),
    tokens: db.collection('tokens'),
    files: db.collection('files'),
    logs: db.collection('log_chunks'),
    history: db.collection('history'),
    webhooks: db.collection('webhooks'),
    signingSecrets: db.collection('signing_secrets'),
    deliveries: db.collection('webhook_deliveries'),
    audit: db.collection('audit'),
    uploads: db.collection('uploads'),
    resumableUploads: db.collection('resumable_uploads'),
    blobFiles: db.collection(`${BUCKET_NAME}.files`),
    blobChunks: db.collection(`${BUCKET_NAME}.chunks`),
  };
}

interface Index {
  readonly of: keyof Collections;
  readonly name: string;
  readonly key: IndexSpecification;
  readonly unique?: true;
}

const INDEXES: readonly Index[] = [
  { of: 'tasks', name: 'by_submission', key: { submission: 1 }, unique: true },
  { of: 'tasks', name: 'by_owner', key: { ownerId: 1, _id: -1 } },
  { of: 'tasks', name: 'by_state', key: { state: 1, _id: -1 } },
  { of: 'tasks', name: 'by_owner_state', key: { ownerId: 1, state: 1, _id: -1 } },
  { of: 'tasks', name: 'by_tag', key: { tag: 1, _id: -1 } },
  { of: 'tasks', name: 'by_worker', key: { workerId: 1, _id: -1 } },
  { of: 'tasks', name: 'by_urgency', key: { state: 1, priority: -1, _id: 1 } },
  { of: 'tasks', name: 'by_end', key: { finishedAt: 1, _id: 1 } },
  { of: 'registrations', name: 'by_due', key: { nextAt: 1, _id: 1 } },
  { of: 'users', name: 'by_username', key: { usernameKey: 1 }, unique: true },
  { of: 'users', name: 'by_limited', key: { isLimited: 1 } },
  { of: 'tokens', name: 'by_hash', key: { hash: 1 }, unique: true },
  { of: 'tokens', name: 'by_user', key: { userId: 1, createdAt: 1 } },
  { of: 'files', name: 'by_path', key: { ownerId: 1, path: 1, taskId: 1, attempt: 1 } },
  { of: 'files', name: 'by_task', key: { ownerId: 1, taskId: 1, path: 1, attempt: 1, sizeBytes: 1 } },
  { of: 'files', name: 'by_id', key: { id: 1 }, unique: true },
  { of: 'resumableUploads', name: 'by_owner', key: { ownerId: 1, open: 1, createdAt: 1, _id: 1 } },
  { of: 'resumableUploads', name: 'by_expiry', key: { expiresAt: 1, _id: 1 } },
  { of: 'logs', name: 'by_line', key: { taskId: 1, attempt: 1, lastSeq: 1 } },
  { of: 'blobFiles', name: 'by_name', key: { filename: 1, uploadDate: 1 } },
  { of: 'blobChunks', name: 'by_file', key: { files_id: 1, n: 1 }, unique: true },
  { of: 'history', name: 'by_time', key: { series: 1, grain: 1, at: 1 } },
  { of: 'history', name: 'by_age', key: { grain: 1, at: 1 } },
  { of: 'webhooks', name: 'by_owner', key: { ownerId: 1, createdAt: 1, _id: 1 } },
  { of: 'deliveries', name: 'by_due', key: { state: 1, nextAt: 1, _id: 1 } },
  { of: 'deliveries', name: 'by_age', key: { state: 1, createdAt: 1 } },
  { of: 'deliveries', name: 'by_owner', key: { ownerId: 1, createdAt: -1, _id: -1 } },
  { of: 'deliveries', name: 'by_task', key: { taskId: 1, createdAt: -1, _id: -1 } },
  { of: 'deliveries', name: 'by_webhook', key: { webhookId: 1, createdAt: -1, _id: -1 } },
  { of: 'audit', name: 'by_action', key: { action: 1, _id: -1 } },
  { of: 'audit', name: 'by_actor', key: { actorId: 1, action: 1, _id: -1 } },
  { of: 'audit', name: 'by_target', key: { target: 1, _id: -1 } },
];

/** Creates what is not there yet. One by one: FerretDB fails when it is given several that exist. */
export async function ensureIndexes(collections: Collections): Promise<void> {
  for (const { of, name, key, unique } of INDEXES) {
    // The type of the document does not matter to an index.
    const collection = collections[of] as unknown as Collection;
    await collection.createIndex(key, unique ? { name, unique } : { name });
  }
}
