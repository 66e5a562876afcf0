// Tasks in MongoDB. A single document changes atomically, and compare-and-set is the filter on its revision; there
// are no transactions. Batches: see task-batches.ts. `place` checks the term and then writes, two steps: a leader
// that is replaced in between may still write placements that were legal when it made them. Their records carry
// its term, and no task is placed twice, for the revision decides.

import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Filter } from 'mongodb';
import { AppError } from '../../errors.ts';
import type { Allocation } from '../../model/held.ts';
import { TASK_STATES, type Task, type TaskState } from '../../model/task.ts';
import { TERMINAL_STATES, UNFINISHED_STATES } from '../../model/task-states.ts';
import type {
  EndedRun,
  InsertOutcome,
  QueuedTask,
  QueueEntry,
  QueuePlace,
  TaskFilter,
  TaskPage,
  TaskStore,
  TaskSummaryPage,
} from '../../ports/task-store.ts';
import type { Collections } from './collections.ts';
import { guarded, isDuplicate, unavailable } from './errors.ts';
import { literal } from './literal.ts';
import { complete } from './older-documents.ts';
import { readAllocations, readQueued } from './scheduler-view.ts';
import type { TaskBatches } from './task-batches.ts';
import {
  changingFields,
  documentOf,
  SUMMARY_FIELDS,
  type SummaryDocument,
  submissionOf,
  summaryOf,
  type TaskDocument,
  taskOf,
} from './task-document.ts';
import { countAhead, endedAfter, readEndedRuns, readKinds, readLine } from './task-line.ts';

/** How long an insert waits for another one that holds its idempotency key. */
const KEY_WAIT_MS = 10_000;

export class MongoTaskStore implements TaskStore {
  readonly #tasks: Collections['tasks'];
  readonly #counters: Collections['counters'];
  readonly #webhooks: Collections['webhooks'];
  readonly #batches: TaskBatches;

  constructor(collections: Collections, batches: TaskBatches) {
    this.#tasks = collections.tasks;
    this.#counters = collections.counters;
    this.#webhooks = collections.webhooks;
    this.#batches = batches;
  }

  async insert(tasks: readonly Task[], maxUnfinished?: number): Promise<InsertOutcome> {
    if (tasks.length === 0) return { kind: 'inserted' };
    if (new Set(tasks.map(submissionOf)).size < tasks.length) {
      throw new AppError('conflict', 'two tasks of the batch have the same idempotency key or id');
    }
    return guarded(async () => {
      const end = performance.now() + KEY_WAIT_MS;
      do {
        const holders = await this.#keyHolders(tasks);
        const hidden = holders.find(({ state }) => state === 'hidden');
        if (!hidden && holders.length > 0) return { kind: 'duplicate', existing: holders.map(taskOf) };
        if (!hidden || !(await this.#batches.isUnderWay(hidden.batch ?? ''))) {
          const over = maxUnfinished === undefined ? null : await this.#overLimit(tasks, maxUnfinished);
          if (over !== null) return over;
          try {
            await this.#insertNew(tasks);
            return { kind: 'inserted' };
          } catch (error) {
            if (!isDuplicate(error)) throw error;
            // Another was first with a key: look again. A taken id will not go away.
            const ids = tasks.map(({ id }) => id);
            const taken = await this.#tasks.findOne({ _id: { $in: ids }, state: { $ne: 'hidden' } });
            if (taken && !(await this.#keyHolders(tasks)).some(({ _id }) => _id === taken._id)) throw error;
          }
        }
        await delay(5 + Math.random() * 20);
      } while (performance.now() < end);
      throw unavailable('another submission with the same idempotency key is still under way');
    });
  }

  async #overLimit(tasks: readonly Task[], limit: number): Promise<InsertOutcome | null> {
    const ownerId = tasks[0]?.ownerId ?? '';
    const unfinished = (await this.countUnfinished([ownerId])).get(ownerId) ?? 0;
    return unfinished + tasks.length > limit ? { kind: 'over_limit', unfinished } : null;
  }

  async #insertNew(tasks: readonly Task[]): Promise<void> {
    const [first, second] = tasks;
    if (first && !second) await this.#tasks.insertOne(documentOf(first));
    else await this.#batches.insert(tasks);
  }

  /** Tasks, hidden ones too, that hold idempotency keys of `tasks`, in the order of the call. */
  async #keyHolders(tasks: readonly Task[]): Promise<TaskDocument[]> {
    const keys = tasks.filter(({ idempotencyKey }) => idempotencyKey !== null).map(submissionOf);
    if (keys.length === 0) return [];
    const holders = await this.#tasks.find({ submission: { $in: keys } }).toArray();
    return holders.sort((a, b) => keys.indexOf(a.submission) - keys.indexOf(b.submission));
  }

  get(id: string): Promise<Task | null> {
    return guarded(async () => {
      const found = await this.#tasks.findOne({ _id: id });
      return found === null || found.state === 'hidden' ? null : taskOf(found);
    });
  }

  getMany(ids: readonly string[]): Promise<Task[]> {
    return guarded(async () => {
      const found = await this.#tasks.find({ _id: { $in: [...ids] } }).toArray();
      return found.filter(({ state }) => state !== 'hidden').map(taskOf);
    });
  }

  commit(next: Task): Promise<boolean> {
    return guarded(async () => {
      const { matchedCount } = await this.#tasks.updateOne(before(next), {
        $set: { ...changingFields(next), revision: next.revision },
      });
      return matchedCount === 1;
    });
  }

  place(next: readonly Task[], term: number): Promise<ReadonlySet<string>> {
    return guarded(async () => {
      const newest = await this.#counters.findOne({ _id: 'term' });
      if (next.length === 0 || term < (newest?.value ?? 0)) return new Set<string>();
      // Tells which writes were ours: another writer may have brought a task to the same revision.
      const pass = randomUUID();
      const { matchedCount } = await this.#tasks.bulkWrite(
        next.map((task) => ({
          // At most one matches, as with `updateOne`; but FerretDB keeps a cursor open for each of those, and a
          // large bulk of them never ends.
          updateMany: {
            filter: before(task),
            update: { $set: { ...changingFields(task), revision: task.revision, pass } },
          },
        })),
        { ordered: false },
      );
      const ids = next.map(({ id }) => id);
      if (matchedCount === next.length) return new Set(ids);
      const written = await this.#tasks
        .find({ _id: { $in: ids }, pass }, { projection: { _id: 1 } })
        .toArray();
      return new Set(written.map(({ _id }) => _id));
    });
  }

  list(filter: TaskFilter, page: { limit: number; before?: string | undefined }): Promise<TaskPage> {
    return guarded(async () => {
      const found = await this.#tasks
        .find(conditionsOf(filter, page.before))
        .sort({ _id: -1 })
        .limit(page.limit + 1)
        .toArray();
      const tasks = found.slice(0, page.limit).map(taskOf);
      return { tasks, next: found.length > page.limit ? (tasks.at(-1)?.id ?? null) : null };
    });
  }

  summaries(
    filter: TaskFilter,
    page: { limit: number; before?: string | undefined },
  ): Promise<TaskSummaryPage> {
    return guarded(async () => {
      const found = await this.#tasks
        .find<SummaryDocument>(conditionsOf(filter, page.before), { projection: SUMMARY_FIELDS })
        .sort({ _id: -1 })
        .limit(page.limit + 1)
        .toArray();
      const shown = found.slice(0, page.limit);
      const tasks = (await complete(this.#tasks, shown, ['name', 'image'])).map(summaryOf);
      return { tasks, next: found.length > page.limit ? (tasks.at(-1)?.id ?? null) : null };
    });
  }

  countByState(ownerId?: string): Promise<Record<TaskState, number>> {
    return guarded(async () => {
      const counts = Object.fromEntries(TASK_STATES.map((state) => [state, 0])) as Record<TaskState, number>;
      const groups = this.#tasks.aggregate<{ _id: TaskState | 'hidden'; count: number }>([
        ...(ownerId === undefined ? [] : [{ $match: { ownerId } }]),
        { $group: { _id: '$state', count: { $sum: 1 } } },
      ]);
      for await (const { _id, count } of groups) if (_id !== 'hidden') counts[_id] = count;
      return counts;
    });
  }

  countUnfinished(ownerIds: readonly string[]): Promise<ReadonlyMap<string, number>> {
    return guarded(async () => {
      const groups = await this.#tasks
        .aggregate<{ _id: string; count: number }>([
          { $match: { ownerId: { $in: [...ownerIds] }, state: { $in: [...UNFINISHED_STATES] } } },
          { $group: { _id: '$ownerId', count: { $sum: 1 } } },
        ])
        .toArray();
      return new Map(groups.map(({ _id, count }) => [_id, count]));
    });
  }

  queued(page: Parameters<TaskStore['queued']>[0]): Promise<QueuedTask[]> {
    return guarded(() => readQueued(this.#tasks, page));
  }

  allocations(workerId?: string): Promise<Allocation[]> {
    return guarded(() => readAllocations(this.#tasks, workerId));
  }

  ended(page: {
    since: number;
    after?: { finishedAt: number; id: string } | undefined;
    limit: number;
    withWebhook?: boolean | undefined;
  }): Promise<Task[]> {
    const { since, after, limit, withWebhook } = page;
    const beyond = endedAfter(since, after);
    return guarded(async () => {
      const owners = withWebhook ? await this.#webhooks.distinct('ownerId') : [];
      const wanted: Filter<TaskDocument>[] = withWebhook
        ? [{ $or: [{ hasWebhook: true }, { ownerId: { $in: owners } }] }]
        : [];
      const found = await this.#tasks
        .find({ $and: [beyond, { state: { $ne: 'hidden' } }, ...wanted] })
        .sort({ finishedAt: 1, _id: 1 })
        .limit(limit)
        .toArray();
      return found.map(taskOf);
    });
  }

  removeEnded(ids: readonly string[]): Promise<number> {
    return guarded(async () => {
      const { deletedCount } = await this.#tasks.deleteMany({
        _id: { $in: [...ids] },
        state: { $in: [...TERMINAL_STATES] },
      });
      return deletedCount;
    });
  }

  endedRuns(page: Parameters<TaskStore['endedRuns']>[0]): Promise<EndedRun[]> {
    return guarded(() => readEndedRuns(this.#tasks, page));
  }

  kinds(ids: readonly string[]): ReturnType<TaskStore['kinds']> {
    return guarded(() => readKinds(this.#tasks, ids));
  }

  inLine(page: Parameters<TaskStore['inLine']>[0]): Promise<QueueEntry[]> {
    return guarded(() => readLine(this.#tasks, page));
  }

  countAhead(of: QueuePlace, behind?: QueuePlace): Promise<number> {
    return guarded(() => countAhead(this.#tasks, of, behind));
  }
}

/** Matches the record that `next` was made from, and no other. */
function before(next: Task): Filter<TaskDocument> {
  return { _id: next.id, revision: next.revision - 1 };
}

function conditionsOf(filter: TaskFilter, beforeId: string | undefined): Filter<TaskDocument> {
  const { ownerId, states, tag, workerId, text } = filter;
  return {
    state: states ? { $in: [...states] } : { $ne: 'hidden' },
    ...(ownerId === undefined ? {} : { ownerId }),
    ...(tag === undefined ? {} : { tag }),
    ...(workerId === undefined ? {} : { workerId }),
    ...(text === undefined || text === '' ? {} : { search: { $regex: literal(text.toLowerCase()) } }),
    ...(beforeId === undefined ? {} : { _id: { $lt: beforeId } }),
  };
}
