// Why a task waits, by the scheduler's own rules over what the store says now. Knows nothing of HTTP.

import { type Explanation, explain } from '../../scheduler/core/explain.ts';
import type { Task } from '../../shared/model/task.ts';
import type { Principal } from '../../shared/model/user.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Store } from '../../shared/ports/store.ts';
import type { TaskRecords } from './task-records.ts';

export interface ExplanationParts {
  readonly records: TaskRecords;
  readonly store: Pick<Store, 'tasks' | 'workers'>;
  readonly clock: Clock;
}

export class TaskExplanations {
  readonly #parts: ExplanationParts;

  constructor(parts: ExplanationParts) {
    this.#parts = parts;
  }

  /** @throws AppError `not_found` */
  async explain(by: Principal, id: string): Promise<{ task: Task; explanation: Explanation }> {
    const { records, store, clock } = this.#parts;
    const task = await records.get(by, id);
    const now = clock.now();
    if (task.state !== 'queued') return { task, explanation: explain(task, [], [], 0, now) };
    const [workers, allocations, ahead] = await Promise.all([
      store.workers.list(),
      store.tasks.allocations(),
      store.tasks.countAhead({ priority: task.spec.priority, id: task.id }),
    ]);
    return { task, explanation: explain(task, workers, allocations, ahead, now) };
  }
}
