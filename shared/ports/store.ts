// The record of the cluster. Guarantees that every adapter proves in test/conformance/store:
// - A write that returned is durable and visible to every later read by any process.
// - `commit` and `place` are compare-and-set on `revision`: of two writers from the same record one wins.
// - When the store cannot be reached, calls throw AppError `store_unavailable` (retryable), never a vendor error.
// - Records come back exactly as they were put in.

import type { FileRecord } from '../model/file.ts';
import type { Resources } from '../model/resources.ts';
import type { Task, TaskState } from '../model/task.ts';
import type { ApiToken, User } from '../model/user.ts';
import type { Liveness, Maintenance, Worker, WorkerRegistration } from '../model/worker.ts';

export interface Store {
  readonly tasks: TaskStore;
  readonly workers: WorkerStore;
  readonly users: UserStore;
  readonly files: FileRecordStore;
  /**
   * The next leadership term: greater than every number this ever returned, by any process.
   * From then on `place` with a smaller term is refused.
   */
  nextTerm(): Promise<number>;
  /** Resolves when the store answers; throws `store_unavailable` otherwise. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

export type InsertOutcome =
  | { readonly kind: 'inserted' }
  /** A task of the same owner with the same idempotency key is there already; nothing was inserted. */
  | { readonly kind: 'duplicate'; readonly existing: readonly Task[] };

export interface TaskFilter {
  readonly ownerId?: string | undefined;
  readonly states?: readonly TaskState[] | undefined;
  readonly tag?: string | undefined;
  readonly workerId?: string | undefined;
  /** Case-insensitive substring of id, name, image or tag. */
  readonly text?: string | undefined;
}

export interface TaskPage {
  readonly tasks: readonly Task[];
  /** Pass as `before` for the next page; null at the end. */
  readonly next: string | null;
}

/** What a placed task holds of its worker. */
export interface Allocation {
  readonly taskId: string;
  readonly workerId: string;
  readonly attempt: number;
  readonly state: 'assigned' | 'running';
  readonly resources: Resources;
  readonly assignedAt: number;
}

/** What a scheduler needs to know of a waiting task. */
export interface QueuedTask {
  readonly id: string;
  readonly ownerId: string;
  readonly attempt: number;
  readonly revision: number;
  readonly priority: number;
  readonly resources: Resources;
  readonly worker: string | null;
  readonly notBefore: number;
  readonly submittedAt: number;
  readonly queuedAt: number;
}

export interface TaskStore {
  /**
   * Inserts all or none. Idempotency keys are unique per owner: when any of the keys is taken, nothing is
   * inserted and the tasks that hold those keys come back in the order of the call.
   */
  insert(tasks: readonly Task[]): Promise<InsertOutcome>;
  get(id: string): Promise<Task | null>;
  /** The tasks that exist among `ids`, in any order. */
  getMany(ids: readonly string[]): Promise<Task[]>;
  /**
   * Writes `next` if the stored revision is `next.revision − 1`. The spec is never rewritten.
   * Returns false, and writes nothing, when it is not.
   */
  commit(next: Task): Promise<boolean>;
  /**
   * The scheduler's batch of `commit`: each task stands for itself. Returns the ids that were written.
   * Nothing is written when `term` is smaller than the newest term of `nextTerm`.
   */
  place(next: readonly Task[], term: number): Promise<ReadonlySet<string>>;
  /** Newest first (by id, which grows with submission time). `before` is a task id, exclusive. */
  list(filter: TaskFilter, page: { limit: number; before?: string | undefined }): Promise<TaskPage>;
  /** How many tasks are in each state; states without tasks are 0. */
  countByState(ownerId?: string): Promise<Record<TaskState, number>>;
  /** Waiting tasks in order of id, after `after` (exclusive), for building and repairing an index. */
  queued(page: { after?: string | undefined; limit: number }): Promise<QueuedTask[]>;
  /** All tasks that are assigned or running, of one worker or of all. */
  allocations(workerId?: string): Promise<Allocation[]>;
  /** How many waiting tasks go before one of this priority, submission time and id. */
  countAhead(of: { priority: number; id: string }): Promise<number>;
}

export interface WorkerStore {
  /** Creates or refreshes; maintenance and liveness of a known worker stay as they are, a new one is up. */
  register(registration: WorkerRegistration): Promise<Worker>;
  get(id: string): Promise<Worker | null>;
  /** In order of id. */
  list(): Promise<Worker[]>;
  /** Both return null when there is no such worker. */
  setMaintenance(id: string, maintenance: Maintenance): Promise<Worker | null>;
  setLiveness(id: string, liveness: Liveness, at: number): Promise<Worker | null>;
  remove(id: string): Promise<boolean>;
}

export interface AdminClaim {
  readonly userId: string;
  /** When it is made, milliseconds since the epoch. */
  readonly at: number;
}

/** Far longer than it takes from the claim to the insert. */
export const ADMIN_CLAIM_MS = 60_000;

export interface UserStore {
  /** False when the username is taken (without regard to case). */
  insert(user: User): Promise<boolean>;
  get(id: string): Promise<User | null>;
  findByUsername(username: string): Promise<User | null>;
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

export interface FileRecordStore {
  /** Creates, or replaces the record of the same owner, task and path. */
  put(file: FileRecord): Promise<void>;
  find(where: { ownerId: string; taskId: string | null; path: string }): Promise<FileRecord | null>;
  /** In order of path. Without `taskId` all files of the owner, with null only uploads. */
  list(where: { ownerId: string; taskId?: string | null | undefined }): Promise<FileRecord[]>;
  remove(id: string): Promise<boolean>;
}
