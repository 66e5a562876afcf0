// Containers of this worker that nobody in this process works on: left by an earlier life, or by an engine that was
// away. Wanted ones are taken over, the others removed. Also takes up what the store says is placed here, so that an
// emptied queue delays nothing.

import type { Task } from '../../shared/model/task.ts';
import type { Log } from '../../shared/platform/log.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { ContainerRuntime, ContainerStatus } from '../../shared/ports/container-runtime.ts';
import type { TaskStore } from '../../shared/ports/task-store.ts';
import type { AdmissionLine } from '../admission.ts';
import { isWanted } from '../core/next-step.ts';
import { attemptName } from '../executor/attempt-state.ts';
import type { AttemptRegistry } from '../executor/registry.ts';
import type { Journal } from '../journal/journal.ts';

/**
 * How long a container stays whose task the store does not know. What the record says is over goes at once; a task
 * without a record is a riddle, perhaps a store that was restored from a copy, and gets time to solve itself.
 */
const DANGLING_GRACE_MS = 60_000;

export interface AdoptionParts {
  readonly workerId: string;
  readonly tasks: TaskStore;
  readonly runtime: ContainerRuntime;
  readonly registry: AttemptRegistry;
  readonly admission: AdmissionLine;
  readonly journal: Pick<Journal, 'keys'>;
  readonly clock: Clock;
  readonly log: Log;
}

export class Adoption {
  readonly #parts: AdoptionParts;
  /** Containers of unknown tasks and when each was seen first, monotonic. */
  readonly #unknown = new Map<string, number>();

  constructor(parts: AdoptionParts) {
    this.#parts = parts;
  }

  /**
   * Looks once. Throws when the engine or the store does not answer. `leaving` resolves when all containers that are
   * not wanted any more are gone.
   */
  async sweep(): Promise<{ leaving: Promise<unknown> }> {
    const { runtime, tasks, registry, workerId, log } = this.#parts;
    const containers = (await runtime.list(workerId)).filter((one) => !registry.has(one));
    // Read after the list: an attempt that ended in between is over in its record.
    const records = await this.#read(containers.map(({ taskId }) => taskId));
    const leaving: Promise<unknown>[] = [];
    const unknown = new Set<string>();
    for (const container of containers) {
      if (registry.has(container)) continue;
      const task = records.get(container.taskId);
      const { taskId, attempt } = container;
      const key = { taskId, attempt, workerId };
      if (!task) {
        unknown.add(container.id);
        if (!this.#isOverdue(container)) continue;
        log.warn({ ...key, containerId: container.id }, 'removing a container of a task that nobody knows');
        leaving.push(runtime.remove(container.id));
        continue;
      }
      const wanted = isWanted(task, key);
      log.info({ ...key, state: container.state, wanted }, 'found a container of an earlier life');
      // What it holds is taken before anything new may start.
      this.#parts.admission.hold(attemptName(key), task.spec.resources, container.gpuIds);
      const end = registry.run(key, { task, container });
      if (!wanted) leaving.push(end);
    }
    for (const id of this.#unknown.keys()) if (!unknown.has(id)) this.#unknown.delete(id);
    for (const { taskId, attempt } of await tasks.allocations(workerId)) {
      void registry.run({ taskId, attempt, workerId });
    }
    // What is left has neither a container nor a place in the store; whoever wants nothing of it drops its entry.
    for (const { taskId, attempt } of this.#parts.journal.keys()) {
      void registry.run({ taskId, attempt, workerId });
    }
    return { leaving: Promise.allSettled(leaving) };
  }

  async #read(ids: readonly string[]): Promise<Map<string, Task>> {
    const found = ids.length === 0 ? [] : await this.#parts.tasks.getMany([...new Set(ids)]);
    return new Map(found.map((task) => [task.id, task]));
  }

  #isOverdue({ id }: ContainerStatus): boolean {
    const now = this.#parts.clock.monotonic();
    const first = this.#unknown.get(id) ?? now;
    this.#unknown.set(id, first);
    return now - first >= DANGLING_GRACE_MS;
  }
}
