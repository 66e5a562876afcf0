// What the pieces of the loop share.

import type { PlanRules } from '../shared/model/scheduling.ts';
import type { Log } from '../shared/platform/log.ts';
import type { Clock } from '../shared/ports/clock.ts';
import type { EventBus, WorkerPresence } from '../shared/ports/coordination.ts';
import type { DecisionLog } from '../shared/ports/decision-log.ts';
import type { ImageBoard } from '../shared/ports/image-board.ts';
import type { DeliveryQueue, IntakeQueue } from '../shared/ports/queue.ts';
import type { SchedulerBoard } from '../shared/ports/scheduler-board.ts';
import type { Tracer } from '../shared/ports/tracing.ts';
import type { SchedulerStore } from './bounded-store.ts';
import type { Tally } from './core/tally.ts';

export interface LoopParts {
  readonly store: SchedulerStore;
  readonly intake: IntakeQueue;
  readonly deliveries: DeliveryQueue;
  readonly presence: WorkerPresence;
  readonly bus: EventBus;
  readonly images: ImageBoard;
  readonly board: SchedulerBoard;
  readonly decisionLog: DecisionLog;
  /** 0 keeps no decisions. */
  readonly decisionLogBytes: number;
  readonly clock: Clock;
  readonly log: Log;
  readonly workerLeaseMs: number;
  readonly reconcileMs: number;
  /** What an unhealthy worker has not started goes back to the queue after so long. */
  readonly unhealthyGraceMs: number;
  readonly rules: PlanRules;
  /** Counts what happens, for whoever watches. */
  readonly tally: Tally;
  readonly tracer: Tracer;
  /** A number in [0, 1). */
  readonly random: () => number;
}

/** The right to write: one term of leadership. */
export interface Mandate {
  readonly term: number;
  /** False as soon as the lease is not surely held any more, or the process is to stop. */
  readonly stands: () => boolean;
}

/** The term was refused or has ended: whoever gets this stops writing and gives the lease up. */
export class Deposed extends Error {
  constructor(why: string) {
    super(why);
    this.name = 'Deposed';
  }
}
