// Tasks in the record of the cluster. The guarantees of `store.ts` hold here too.

import type { Allocation } from '../model/held.ts';
import type { LabelDemand } from '../model/labels.ts';
import type { Resources } from '../model/resources.ts';
import type { FailureReason, Task, TaskState } from '../model/task.ts';
import type { TaskSummary } from '../model/task-summary.ts';

export type InsertOutcome =
  | { readonly kind: 'inserted' }
  /** The owner would have more unfinished tasks than asked for; nothing was inserted. */
  | { readonly kind: 'over_limit'; readonly unfinished: number }
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

export interface TaskSummaryPage {
  readonly tasks: readonly TaskSummary[];
  /** Pass as `before` for the next page; null at the end. */
  readonly next: string | null;
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
  readonly labels: LabelDemand;
  readonly image: string;
  readonly tag: string;
  readonly kValue: number;
  /** How long it may wait at a time; 0 means for ever. */
  readonly queueTimeoutSeconds: number;
  readonly notBefore: number;
  readonly submittedAt: number;
  readonly queuedAt: number;
}

/** Where a waiting task stands: the higher priority goes first, then the smaller id. */
export interface QueuePlace {
  readonly priority: number;
  readonly id: string;
}

/** What people see of a waiting task. */
export interface QueueEntry extends QueuePlace {
  readonly ownerId: string;
  readonly ownerName: string;
  readonly name: string;
  readonly image: string;
  readonly tag: string;
  readonly attempt: number;
  readonly resources: Resources;
  /** Direct assignment, or null. */
  readonly worker: string | null;
  readonly labels: LabelDemand;
  readonly kValue: number;
  /** Why it waits again; null for a first attempt. */
  readonly message: string | null;
  readonly queueTimeoutSeconds: number;
  readonly notBefore: number;
  readonly submittedAt: number;
  readonly queuedAt: number;
}

/** What run times are learned from: small, so that a hundred thousand can be read. */
export interface EndedRun {
  readonly id: string;
  readonly state: TaskState;
  readonly reason: FailureReason | null;
  readonly image: string;
  readonly tag: string;
  readonly kValue: number;
  readonly submittedAt: number;
  /** Of the last attempt; null when it never started. */
  readonly startedAt: number | null;
  readonly finishedAt: number;
}

export interface TaskStore {
  /**
   * Inserts all or none. Idempotency keys are unique per owner: when any of the keys is taken, nothing is
   * inserted and the tasks that hold those keys come back in the order of the call; that goes before the limit.
   *
   * With `maxUnfinished` all of `tasks` are of one owner, who is never to have more unfinished ones. A store without
   * transactions (MongoDB) counts before it inserts: there, what other inserts of the same owner add in between goes on
   * top. The caller lets one insert of an owner go after the other, so that only other processes can do that.
   */
  insert(tasks: readonly Task[], maxUnfinished?: number): Promise<InsertOutcome>;
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
  /** The same list in short. */
  summaries(
    filter: TaskFilter,
    page: { limit: number; before?: string | undefined },
  ): Promise<TaskSummaryPage>;
  /** How many tasks are in each state; states without tasks are 0. */
  countByState(ownerId?: string): Promise<Record<TaskState, number>>;
  /** How many tasks of each of these owners have not ended; who has none may be absent. Cheap, however many have. */
  countUnfinished(ownerIds: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** Waiting tasks in order of id, after `after` (exclusive), of all priorities or of one. */
  queued(page: {
    after?: string | undefined;
    limit: number;
    priority?: number | undefined;
  }): Promise<QueuedTask[]>;
  /** All tasks that are assigned or running, of one worker or of all. */
  allocations(workerId?: string): Promise<Allocation[]>;
  /** Tasks that ended at `since` or later, in order of that time and id, after `after` (exclusive). */
  ended(page: {
    since: number;
    after?: { finishedAt: number; id: string } | undefined;
    limit: number;
    /** Only those that somebody is to be told of: they name a webhook, or their owner has one. */
    withWebhook?: boolean | undefined;
  }): Promise<Task[]>;
  /** As `ended`, of all tasks, with little of each. */
  endedRuns(page: {
    since: number;
    after?: { finishedAt: number; id: string } | undefined;
    limit: number;
  }): Promise<EndedRun[]>;
  /**
   * Removes those of `ids` that have ended, each with its idempotency key; the others stay as they are. Returns how
   * many were there.
   */
  removeEnded(ids: readonly string[]): Promise<number>;
  /** Image and tag of the tasks that exist among `ids`, in any order. */
  kinds(ids: readonly string[]): Promise<{ id: string; image: string; tag: string }[]>;
  /** Waiting tasks in the order in which they are tried, after `after` (exclusive), of all owners or of one. */
  inLine(page: {
    ownerId?: string | undefined;
    after?: QueuePlace | undefined;
    limit: number;
  }): Promise<QueueEntry[]>;
  /** How many waiting tasks go before one that stands there; with `behind` only those that go after that one. */
  countAhead(of: QueuePlace, behind?: QueuePlace): Promise<number>;
}
