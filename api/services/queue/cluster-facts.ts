// What the rules of placing look at, as the store and the leading scheduler tell it now. Reads only. What the leader
// alone knows may be missing: then nothing is kept free for anybody, and the rules are the defaults.

import { type Scene, sceneOf } from '../../../scheduler/core/scene.ts';
import type { PlanMemory } from '../../../scheduler/core/snapshot.ts';
import type { Allocation } from '../../../shared/model/held.ts';
import { DEFAULT_RULES, type PlanRules, type SchedulerReport } from '../../../shared/model/scheduling.ts';
import type { ResourceQuota } from '../../../shared/model/user.ts';
import { type HeardWorker, withTroubles } from '../../../shared/model/worker.ts';
import type { Log } from '../../../shared/platform/log.ts';
import type { PresentWorker, WorkerPresence } from '../../../shared/ports/coordination.ts';
import type { SchedulerBoard } from '../../../shared/ports/scheduler-board.ts';
import type { Store } from '../../../shared/ports/store.ts';
import { answerWithin } from '../deadline.ts';

export interface ClusterFactsParts {
  readonly store: Pick<Store, 'tasks' | 'workers' | 'users'>;
  readonly schedulerBoard: Pick<SchedulerBoard, 'read'>;
  readonly presence: Pick<WorkerPresence, 'present'>;
  readonly log: Log;
}

export interface Facts {
  /** In order of id. */
  readonly workers: readonly HeardWorker[];
  readonly allocations: readonly Allocation[];
  readonly quotas: ReadonlyMap<string, ResourceQuota>;
  readonly rules: PlanRules;
  readonly memory: PlanMemory;
}

const BOARD_DEADLINE_MS = 1_000;

export class ClusterFacts {
  readonly #parts: ClusterFactsParts;

  constructor(parts: ClusterFactsParts) {
    this.#parts = parts;
  }

  async read(): Promise<Facts> {
    const { store } = this.#parts;
    const [workers, allocations, quotas, report, present] = await Promise.all([
      store.workers.list(),
      store.tasks.allocations(),
      store.users.resourceQuotas(),
      this.#report(),
      this.#present(),
    ]);
    return {
      workers: withTroubles(workers, present),
      allocations,
      quotas,
      rules: report?.rules ?? DEFAULT_RULES,
      memory: {
        recent: report?.recent ?? lastOf(allocations),
        reservations: report?.reservations ?? [],
      },
    };
  }

  /** Without heartbeats nothing is known of health, as after a restart of Redis. */
  async #present(): Promise<readonly PresentWorker[]> {
    const { presence, log } = this.#parts;
    try {
      return await answerWithin(presence.present(), BOARD_DEADLINE_MS, 'Redis');
    } catch (error) {
      log.debug({ err: error }, 'heartbeats cannot be read');
      return [];
    }
  }

  async #report(): Promise<SchedulerReport | null> {
    const { schedulerBoard, log } = this.#parts;
    try {
      return await answerWithin(schedulerBoard.read(), BOARD_DEADLINE_MS, 'Redis');
    } catch (error) {
      log.debug({ err: error }, 'what the scheduler tells of itself cannot be read');
      return null;
    }
  }
}

export function sceneFrom({ workers, allocations, quotas, memory }: Facts, now: number): Scene {
  return sceneOf({ workers, holdings: allocations, quotas, reservations: memory.reservations }, now);
}

/** The worker that was given a task last: the rotation goes on behind it. */
function lastOf(allocations: readonly Allocation[]): string[] {
  const last = allocations.reduce<Allocation | null>(
    (newest, one) =>
      !newest ||
      one.assignedAt > newest.assignedAt ||
      (one.assignedAt === newest.assignedAt && one.taskId > newest.taskId)
        ? one
        : newest,
    null,
  );
  return last === null ? [] : [last.workerId];
}
