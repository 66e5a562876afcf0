// The part of the store that the scheduler uses, with a deadline on each call: a store that hangs must not hang
// the leader. What was asked may still happen later; compare-and-set and reconcile make that harmless.

import { storeWithin } from '../shared/platform/deadline.ts';
import type { HistoryStore, Store, UserStore, WorkerStore } from '../shared/ports/store.ts';
import type { TaskStore } from '../shared/ports/task-store.ts';

const STORE_DEADLINE_MS = 30_000;

export interface SchedulerStore {
  readonly tasks: Pick<
    TaskStore,
    'get' | 'getMany' | 'commit' | 'place' | 'queued' | 'allocations' | 'countByState' | 'endedRuns'
  >;
  readonly workers: Pick<WorkerStore, 'get' | 'list' | 'setLiveness'>;
  readonly users: Pick<UserStore, 'resourceQuotas'>;
  readonly history: HistoryStore;
  nextTerm(): Promise<number>;
  generation(): Promise<number>;
}

/** Calls that take longer than `deadlineMs` throw AppError `store_unavailable` (retryable). */
export function boundStore(store: Store, deadlineMs = STORE_DEADLINE_MS): SchedulerStore {
  const { tasks, workers, users, history } = store;
  const bound = <T>(what: string, promise: Promise<T>) => storeWithin(promise, deadlineMs, what);
  return {
    tasks: {
      get: (id) => bound('read a task', tasks.get(id)),
      getMany: (ids) => bound('read tasks', tasks.getMany(ids)),
      commit: (next) => bound('commit a task', tasks.commit(next)),
      place: (next, term) => bound('place tasks', tasks.place(next, term)),
      queued: (page) => bound('read waiting tasks', tasks.queued(page)),
      allocations: (workerId) => bound('read allocations', tasks.allocations(workerId)),
      countByState: () => bound('count tasks', tasks.countByState()),
      endedRuns: (page) => bound('read ended tasks', tasks.endedRuns(page)),
    },
    users: {
      resourceQuotas: () => bound('read quotas', users.resourceQuotas()),
    },
    workers: {
      get: (id) => bound('read a worker', workers.get(id)),
      list: () => bound('list workers', workers.list()),
      setLiveness: (id, liveness, at) => bound('write liveness', workers.setLiveness(id, liveness, at)),
    },
    history: {
      put: (points) => bound('keep history', history.put(points)),
      read: (of) => bound('read history', history.read(of)),
      prune: (grain, before) => bound('prune history', history.prune(grain, before)),
    },
    nextTerm: () => bound('take a term', store.nextTerm()),
    generation: () => bound('say its generation', store.generation()),
  };
}
