// Why a task waits, by the scheduler's own rules over what the store says now. Knows nothing of HTTP.

import { type Explanation, explain } from '../../scheduler/core/explain.ts';
import type { StartEstimate } from '../../scheduler/core/forecast.ts';
import type { Task } from '../../shared/model/task.ts';
import type { Principal } from '../../shared/model/user.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Store } from '../../shared/ports/store.ts';
import { type ClusterFacts, sceneFrom } from './queue/cluster-facts.ts';
import type { Forecasts } from './queue/forecasts.ts';
import type { TaskRecords } from './task-records.ts';

export interface ExplanationParts {
  readonly records: TaskRecords;
  readonly store: Pick<Store, 'tasks'>;
  readonly facts: ClusterFacts;
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
    const { records, store, facts, forecasts, clock } = this.#parts;
    const task = await records.get(by, id);
    const now = clock.now();
    const asking = { now, reader: by.userId };
    if (task.state !== 'queued') {
      const scene = sceneFrom(await facts.read(), now);
      return { task, explanation: explain(task, scene, { ...asking, ahead: 0 }), estimate: null };
    }
    const [known, ahead, picture] = await Promise.all([
      facts.read(),
      store.tasks.countAhead({ priority: task.spec.priority, id: task.id }),
      forecasts.picture(),
    ]);
    return {
      task,
      explanation: explain(task, sceneFrom(known, now), { ...asking, ahead }),
      estimate: picture.estimates.get(id) ?? null,
    };
  }
}
