// Why a task waits, by the scheduler's own rules over what the store says now. Knows nothing of HTTP.

import { type Explanation, explain } from '../../scheduler/core/explain.ts';
import type { StartEstimate } from '../../scheduler/core/forecast.ts';
import type { Task } from '../../shared/model/task.ts';
import type { Principal } from '../../shared/model/user.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Store } from '../../shared/ports/store.ts';
import type { Forecasts } from './queue/forecasts.ts';
import type { TaskRecords } from './task-records.ts';

export interface ExplanationParts {
  readonly records: TaskRecords;
  readonly store: Pick<Store, 'tasks' | 'workers'>;
  readonly forecasts: Forecasts;
  readonly clock: Clock;
}

export interface Explained {
  readonly task: Task;
  readonly explanation: Explanation;
  readonly estimate: StartEstimate | null;
}

export class TaskExplanations {
  readonly #parts: ExplanationParts;

  constructor(parts: ExplanationParts) {
    this.#parts = parts;
  }

  /** @throws AppError `not_found` */
  async explain(by: Principal, id: string): Promise<Explained> {
    const { records, store, forecasts, clock } = this.#parts;
    const task = await records.get(by, id);
    const now = clock.now();
    if (task.state !== 'queued') {
      return { task, explanation: explain(task, [], [], 0, now), estimate: null };
    }
    const [workers, allocations, ahead, picture] = await Promise.all([
      store.workers.list(),
      store.tasks.allocations(),
      store.tasks.countAhead({ priority: task.spec.priority, id: task.id }),
      forecasts.picture(),
    ]);
    return {
      task,
      explanation: explain(task, workers, allocations, ahead, now),
      estimate: picture.estimates.get(id) ?? null,
    };
  }
}
