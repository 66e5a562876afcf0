// What the workers' heartbeats tell of their health, as the leader heard it: an unhealthy worker is given nothing new, and
// what it was given and cannot start is taken from it after a while. What runs there stays. It never writes.

import { canStart, describeTroubles, type Trouble } from '../shared/model/worker-health.ts';
import type { Log } from '../shared/platform/log.ts';
import type { PresentWorker } from '../shared/ports/coordination.ts';
import type { Ledger } from './core/ledger.ts';

export interface HealthWatchParts {
  readonly ledger: Ledger;
  readonly log: Log;
  /** As long as this the trouble may pass by itself: a container engine that is restarted is back within seconds. */
  readonly graceMs: number;
}

/** A worker that starts nothing. */
interface Idle {
  /** By the leader's monotonic clock. */
  readonly since: number;
  readonly words: string;
}

export interface Leave {
  readonly taskId: string;
  readonly attempt: number;
  readonly workerId: string;
  readonly cause: 'unhealthy';
  readonly message: string;
}

export class HealthWatch {
  readonly #parts: HealthWatchParts;
  readonly #idle = new Map<string, Idle>();

  constructor(parts: HealthWatchParts) {
    this.#parts = parts;
  }

  /** Takes up what was heard at `now`, monotonic. True when a worker became unhealthy or well. Silent ones stay as they were. */
  hear(heard: readonly PresentWorker[], now: number): boolean {
    const { ledger, log } = this.#parts;
    let hasChanged = false;
    for (const { workerId, troubles } of heard) {
      if (ledger.hear(workerId, troubles)) {
        hasChanged = true;
        if (troubles.length === 0) log.info({ workerId }, 'worker is well again');
        else log.warn({ workerId, why: describeTroubles(troubles) }, 'worker is unhealthy');
      }
      this.#note(workerId, troubles, now);
    }
    for (const id of this.#idle.keys()) if (!ledger.worker(id)) this.#idle.delete(id);
    return hasChanged;
  }

  /** What has not started on workers that have been unable to start anything for long. */
  overdue(now: number): Leave[] {
    const leaves: Leave[] = [];
    for (const [workerId, { since, words }] of this.#idle) {
      if (now - since < this.#parts.graceMs) continue;
      for (const { taskId, attempt, state, isLeaving } of this.#parts.ledger.holdingsOf(workerId)) {
        if (state !== 'assigned' || isLeaving) continue;
        const message = `${workerId} did not start it, for it is unhealthy: ${words}`;
        leaves.push({ taskId, attempt, workerId, cause: 'unhealthy', message });
      }
    }
    return leaves;
  }

  #note(workerId: string, troubles: readonly Trouble[], now: number): void {
    if (canStart(troubles)) {
      this.#idle.delete(workerId);
      return;
    }
    const since = this.#idle.get(workerId)?.since ?? now;
    this.#idle.set(workerId, { since, words: describeTroubles(troubles) });
  }
}
