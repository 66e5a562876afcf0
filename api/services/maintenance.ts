// What an admin does to workers. Writes the wish only; the scheduler acts on it. Knows nothing of HTTP.

import type { AwaitedWorker, WorkerView } from '../../shared/contracts/cluster.ts';
import { AppError } from '../../shared/errors.ts';
import type { Deed } from '../../shared/model/rights.ts';
import type { Principal } from '../../shared/model/user.ts';
import type { Maintenance } from '../../shared/model/worker.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Store } from '../../shared/ports/store.ts';
import type { Announcer } from './announcer.ts';
import type { ClusterView } from './cluster-view.ts';
import { requireRight } from './rights.ts';

export interface MaintenanceParts {
  readonly store: Pick<Store, 'tasks' | 'workers' | 'registrations'>;
  readonly view: ClusterView;
  readonly announcer: Announcer;
  readonly clock: Clock;
}

const DEEDS: Readonly<Record<Maintenance, Deed>> = {
  none: 'worker.uncordon',
  cordoned: 'worker.cordon',
  draining: 'worker.drain',
};

export class WorkerMaintenance {
  readonly #parts: MaintenanceParts;

  constructor(parts: MaintenanceParts) {
    this.#parts = parts;
  }

  /** @throws AppError `forbidden`, `not_found`; `conflict` for one that has not joined */
  set(by: Principal, id: string, maintenance: Maintenance): Promise<WorkerView | AwaitedWorker> {
    return this.#set(by, id, maintenance, null);
  }

  /**
   * Nothing new comes to the worker, and what still runs there after `deadlineMs` is moved elsewhere; null: never. Draining
   * it again takes the place of what was said before. @throws as `set`
   */
  drain(by: Principal, id: string, deadlineMs: number | null): Promise<WorkerView | AwaitedWorker> {
    const until = deadlineMs === null ? null : this.#parts.clock.now() + deadlineMs;
    return this.#set(by, id, 'draining', until);
  }

  async #set(
    by: Principal,
    id: string,
    maintenance: Maintenance,
    drainUntil: number | null,
  ): Promise<WorkerView | AwaitedWorker> {
    requireRight(by, DEEDS[maintenance]);
    const { store, view, announcer } = this.#parts;
    if (!(await store.workers.setMaintenance(id, maintenance, drainUntil))) {
      if ((await store.registrations.get(id)) === null) throw unknown(id);
      throw new AppError(
        'conflict',
        `worker ${id} is unreachable and has no tasks yet: wait until it has joined, or remove it`,
      );
    }
    announcer.workerChanged(id);
    view.forget();
    return view.worker(id);
  }

  /**
   * Forgets a worker, and that it was registered by hand.
   * @throws AppError `forbidden`, `not_found`; `conflict` while it is up and holds tasks
   */
  async remove(by: Principal, id: string): Promise<void> {
    requireRight(by, 'worker.remove');
    const { store, view, announcer } = this.#parts;
    const worker = await store.workers.get(id);
    if (worker?.liveness === 'up') {
      const held = await store.tasks.allocations(id);
      if (held.length > 0) {
        throw new AppError(
          'conflict',
          `worker ${id} is up and holds ${held.length} task${held.length === 1 ? '' : 's'}: drain it first, with a deadline if they are to move`,
        );
      }
    }
    const wasAwaited = await store.registrations.remove(id);
    if (!worker && !wasAwaited) throw unknown(id);
    await store.workers.remove(id);
    announcer.workerRemoved(id);
    view.forget();
  }
}

function unknown(id: string): AppError {
  return new AppError('not_found', `there is no worker ${id}; GET /workers lists them`);
}
