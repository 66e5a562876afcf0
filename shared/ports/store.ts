// The record of the cluster. Guarantees that every adapter proves in test/conformance/store:
// - A write that returned is durable and visible to every later read by any process.
// - `commit` and `place` are compare-and-set on `revision`: of two writers from the same record one wins.
// - When the store cannot be reached, calls throw AppError `store_unavailable` (retryable), never a vendor error.
// - Records come back exactly as they were put in.

import type { FileRecord } from '../model/file.ts';
import type { Grain, HistoryPoint } from '../model/history.ts';
import type { Registration } from '../model/registration.ts';
import type { Upload } from '../model/upload.ts';
import type { ApiToken, ResourceQuota, User } from '../model/user.ts';
import type { Webhook, WebhookDelivery } from '../model/webhook.ts';
import type { Liveness, Maintenance, Worker, WorkerRegistration } from '../model/worker.ts';
import type { AuditStore } from './audit-store.ts';
import type { StoreCopies } from './store-copies.ts';
import type { TaskStore } from './task-store.ts';

export interface Store {
  readonly tasks: TaskStore;
  readonly workers: WorkerStore;
  readonly registrations: RegistrationStore;
  readonly users: UserStore;
  readonly files: FileRecordStore;
  readonly uploads: UploadStore;
  readonly history: HistoryStore;
  readonly webhooks: WebhookStore;
  readonly audit: AuditStore;
  /**
   * The next leadership term: greater than every number this ever returned, by any process.
   * From then on `place` with a smaller term is refused.
   */
  nextTerm(): Promise<number>;
  /** Null where the database has tools of its own for it. */
  readonly copies: StoreCopies | null;
  /** How often the contents were replaced by a copy: whoever keeps something of them in memory reads it anew when it grows. */
  generation(): Promise<number>;
  /** Resolves when the store answers; throws `store_unavailable` otherwise. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

export interface WorkerStore {
  /** Creates or refreshes; maintenance and liveness of a known worker stay as they are, a new one is up. */
  register(registration: WorkerRegistration): Promise<Worker>;
  get(id: string): Promise<Worker | null>;
  /** In order of id. */
  list(): Promise<Worker[]>;
  /** Both return null when there is no such worker. `drainUntil` (null by default) goes with `draining` alone. */
  setMaintenance(id: string, maintenance: Maintenance, drainUntil?: number | null): Promise<Worker | null>;
  setLiveness(id: string, liveness: Liveness, at: number): Promise<Worker | null>;
  remove(id: string): Promise<boolean>;
}

/** Workers that were registered by hand and have not joined yet. */
export interface RegistrationStore {
  /** Creates, or replaces what there is of the same worker. */
  put(registration: Registration): Promise<void>;
  get(id: string): Promise<Registration | null>;
  /** In order of id. */
  list(): Promise<Registration[]>;
  /** Those with `nextAt ≤ now`, the longest overdue first. */
  due(now: number, limit: number): Promise<Registration[]>;
  /**
   * Writes `next` if what is stored is of the same wish and its revision is `next.revision − 1`; false, and nothing
   * written, when it is not.
   */
  commit(next: Registration): Promise<boolean>;
  /** Of whatever wish, or only of this one. False when there is none. */
  remove(id: string, wish?: string): Promise<boolean>;
}

export interface AdminClaim {
  readonly userId: string;
  /** When it is made, milliseconds since the epoch. */
  readonly at: number;
}

/** Far longer than it takes from the claim to the insert. */
export const ADMIN_CLAIM_MS = 60_000;

export type UserCommit =
  | 'written'
  /** The stored revision is not `next.revision − 1`. */
  | 'stale'
  /** The cluster would have no admin left who is not disabled. */
  | 'last_admin';

export interface UserPage {
  readonly users: readonly User[];
  /** Pass as `after` for the next page; null at the end. */
  readonly next: string | null;
}

export interface UserStore {
  /** False when the username is taken (without regard to case). */
  insert(user: User): Promise<boolean>;
  get(id: string): Promise<User | null>;
  findByUsername(username: string): Promise<User | null>;
  /**
   * Writes `next` if the stored revision is `next.revision − 1`, and if an active admin is left after that: of any
   * number of admins who take the right from one another at the same moment one keeps it. Id and username are never
   * rewritten. Nothing is written unless the answer is `written`.
   */
  commit(next: User): Promise<UserCommit>;
  /**
   * In order of the key of the username (see `usernameKey`). `text` is a part of the name, without regard to case;
   * `after` is a username, exclusive, of an account that need not be there.
   */
  list(
    filter: { text?: string | undefined },
    page: { limit: number; after?: string | undefined },
  ): Promise<UserPage>;
  /** Of all accounts that have one in any dimension. */
  resourceQuotas(): Promise<ReadonlyMap<string, ResourceQuota>>;
  /**
   * Claims to be the first admin of the cluster for a user who is to be inserted next. True for whoever asks first,
   * and when the same user asks again. A claim whose user was never inserted lapses after `ADMIN_CLAIM_MS`, so a
   * process that died in between leaves no cluster without an admin.
   */
  claimFirstAdmin(claim: AdminClaim): Promise<boolean>;
  insertToken(token: ApiToken): Promise<void>;
  findTokenByHash(hash: string): Promise<ApiToken | null>;
  /** Oldest first. */
  listTokens(userId: string): Promise<ApiToken[]>;
  touchToken(id: string, lastUsedAt: number): Promise<void>;
  /** False when the user has no such token. */
  removeToken(userId: string, id: string): Promise<boolean>;
}

/** The place of a file: an upload has neither task nor attempt. */
export interface FilePlace {
  readonly ownerId: string;
  readonly taskId: string | null;
  readonly attempt: number | null;
  readonly path: string;
}

export interface FileFilter {
  readonly ownerId: string;
  /** Absent: files of all tasks and uploads; null: only uploads. */
  readonly taskId?: string | null | undefined;
  readonly attempt?: number | undefined;
}

export interface FilePage {
  readonly files: readonly FileRecord[];
  /** Pass as `after` for the next page; null at the end. */
  readonly next: string | null;
}

export interface FileRecordStore {
  /**
   * Creates, or replaces the records of the same places. Returns the records that were replaced: nobody will ask for
   * their bytes again. A record that is put again under its own id replaces nothing. Each record stands for itself; of
   * two of one place in a call the later one wins.
   */
  put(files: readonly FileRecord[]): Promise<FileRecord[]>;
  find(place: FilePlace): Promise<FileRecord | null>;
  /**
   * In order of path, then task, then attempt. `after` is a cursor of an earlier page of the same filter; throws
   * `invalid_request` for what was never one.
   */
  list(filter: FileFilter, page: { limit: number; after?: string | undefined }): Promise<FilePage>;
  /** How many there are and how large they are together. */
  total(filter: FileFilter): Promise<{ files: number; bytes: number }>;
  /** How large the uploads of each of these owners are together; who has none may be absent. */
  uploadBytes(ownerIds: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** Returns how many of them were there. */
  remove(ids: readonly string[]): Promise<number>;
}

/** Uploads that may be sent in several goes. An unfinished one is one without a result. */
export interface UploadStore {
  /**
   * False, and nothing inserted, when the owner has `maxOpen` unfinished ones. There are never more; of several that
   * are begun at the same moment just below the limit all may be refused.
   */
  insert(upload: Upload, maxOpen: number): Promise<boolean>;
  get(id: string): Promise<Upload | null>;
  /** Writes `next` if the stored revision is `next.revision − 1`; false, and nothing written, when it is not. */
  commit(next: Upload): Promise<boolean>;
  /** Unfinished ones, the oldest first. */
  listOpen(ownerId: string, limit: number): Promise<Upload[]>;
  /** Those with `expiresAt ≤ now`, finished or not, the longest expired first. */
  listExpired(now: number, limit: number): Promise<Upload[]>;
  /** False, and nothing removed, when the stored revision is another one. */
  remove(of: Pick<Upload, 'id' | 'revision'>): Promise<boolean>;
}

export interface HistoryStore {
  /** Creates or replaces the points of the same series, grain and time. */
  put(points: readonly HistoryPoint[]): Promise<void>;
  /** In order of time, `from ≤ at < to`. */
  read(of: { series: string; grain: Grain; from: number; to: number }): Promise<HistoryPoint[]>;
  /** Drops the points of all series that are older. */
  prune(grain: Grain, before: number): Promise<void>;
}

export interface WebhookStore {
  insert(webhook: Webhook): Promise<void>;
  /** In order of creation. */
  list(ownerId: string): Promise<Webhook[]>;
  /** False when the owner has no such webhook. */
  remove(ownerId: string, id: string): Promise<boolean>;
  /** The owner's signing secret; `fresh` becomes it when there is none. */
  signingSecret(ownerId: string, fresh: string): Promise<string>;
  replaceSigningSecret(ownerId: string, secret: string): Promise<void>;
  /** Those whose id is there already are left as they are. Returns the ids that were new. */
  insertDeliveries(deliveries: readonly WebhookDelivery[]): Promise<ReadonlySet<string>>;
  getDelivery(id: string): Promise<WebhookDelivery | null>;
  /** Pending ones with `nextAt ≤ now`, the longest overdue first. */
  dueDeliveries(now: number, limit: number): Promise<WebhookDelivery[]>;
  /** Writes `next` if the stored revision is `next.revision − 1`; false, and nothing written, when it is not. */
  commitDelivery(next: WebhookDelivery): Promise<boolean>;
  /** Newest first (by creation, then id). `before` is the id of the last one of the page before. */
  listDeliveries(
    filter: { ownerId: string; taskId?: string | undefined; webhookId?: string | undefined },
    page: { limit: number; before?: string | undefined },
  ): Promise<WebhookDelivery[]>;
  /** Drops deliveries that are not pending and were created before. */
  pruneDeliveries(before: number): Promise<void>;
  /** Drops deliveries of these tasks that are not pending. */
  removeDeliveriesOf(taskIds: readonly string[]): Promise<void>;
}
