// The scheduler of a process: listens, competes for the lease, and serves a term whenever it holds it. Any number
// may run; those without the lease stand by. It never starts work on its own word: what is true stands in the store.

import { messageOf } from '../shared/errors.ts';
import type { SchedulerReport } from '../shared/model/scheduling.ts';
import type { SchedulerConfig } from '../shared/platform/config/scheduler.ts';
import { newId } from '../shared/platform/ids.ts';
import type { Log } from '../shared/platform/log.ts';
import type { Clock } from '../shared/ports/clock.ts';
import type { EventBus, LeaderLease, WorkerPresence } from '../shared/ports/coordination.ts';
import type { DecisionLog } from '../shared/ports/decision-log.ts';
import type { ImageBoard } from '../shared/ports/image-board.ts';
import type { DeliveryQueue, IntakeQueue } from '../shared/ports/queue.ts';
import type { SchedulerBoard } from '../shared/ports/scheduler-board.ts';
import type { Store } from '../shared/ports/store.ts';
import { NO_TRACER, type Tracer } from '../shared/ports/tracing.ts';
import { boundStore } from './bounded-store.ts';
import { Changes } from './changes.ts';
import { Tally } from './core/tally.ts';
import { Expectations } from './expectations.ts';
import { Leadership } from './leadership.ts';
import { Deposed, type LoopParts } from './parts.ts';
import { Rest } from './pauses.ts';
import { Term } from './term.ts';

export interface SchedulerParts {
  readonly config: SchedulerConfig;
  readonly store: Store;
  readonly intake: IntakeQueue;
  readonly deliveries: DeliveryQueue;
  readonly lease: LeaderLease;
  readonly presence: WorkerPresence;
  readonly bus: EventBus;
  readonly images: ImageBoard;
  readonly board: SchedulerBoard;
  readonly decisionLog: DecisionLog;
  readonly clock: Clock;
  readonly log: Log;
  /** Absent: nobody traces. */
  readonly tracer?: Tracer;
  /** A number in [0, 1); Math.random by default. */
  readonly random?: () => number;
}

export interface SchedulerStatus {
  /** It knows the cluster and places. */
  readonly leading: boolean;
  /** Term being served; null while standing by. */
  readonly term: number | null;
  /** Waiting tasks in the index. */
  readonly backlog: number;
  /** Tasks that hold resources of a worker. */
  readonly holding: number;
  /** Tasks placed by this process since it started. */
  readonly placed: number;
  /** Tasks told by this process to leave for one of higher priority. */
  readonly preempted: number;
  /** Tasks ended by this process because they had waited for too long. */
  readonly expired: number;
}

export interface Scheduler {
  /** Resolves once it listens and competes for the lease; Redis and store may come later. */
  start(): Promise<void>;
  /** Ends after the batch in work and gives the lease up, so that another copy takes over at once. */
  stop(): Promise<void>;
  status(): SchedulerStatus;
  /** As the cluster is told; null while it does not lead. */
  report(): SchedulerReport | null;
}

/** Pause after a term could not begin or ended in refusal. */
const RETRY_MS = 500;

export function createScheduler(parts: SchedulerParts): Scheduler {
  const { config, lease, clock, log, intake, bus } = parts;
  const rest = new Rest();
  const changes = new Changes(() => rest.wake());
  const tally = new Tally();
  const loopParts: LoopParts = {
    store: boundStore(parts.store),
    intake,
    deliveries: parts.deliveries,
    presence: parts.presence,
    bus,
    images: parts.images,
    board: parts.board,
    decisionLog: parts.decisionLog,
    decisionLogBytes: config.decisionLogBytes,
    clock,
    log,
    workerLeaseMs: config.workerLeaseSeconds * 1_000,
    reconcileMs: config.reconcileSeconds * 1_000,
    unhealthyGraceMs: config.unhealthyGraceSeconds * 1_000,
    rules: config.rules,
    tally,
    tracer: parts.tracer ?? NO_TRACER,
    random: parts.random ?? Math.random,
  };
  const defaultRunMs = config.defaultRunSeconds * 1_000;
  const expectations = new Expectations({
    tasks: loopParts.store.tasks,
    generation: () => loopParts.store.generation(),
    defaultRunMs,
    clock,
    log,
    onEnded: (run, isMet) => tally.ended(run, isMet),
  });
  const leadership = new Leadership({
    lease,
    clock,
    log,
    holder: newId('sched'),
    ttlMs: config.leaderLeaseSeconds * 1_000,
    onChange: () => rest.wake(),
  });
  let term: { number: number; served: Term } | null = null;
  let placedBefore = 0;
  let preemptedBefore = 0;
  let expiredBefore = 0;
  let stopping = false;
  let running: Promise<void> = Promise.resolve();
  let unsubscribe: (() => Promise<void>)[] = [];

  const leads = () => leadership.holds() && !stopping;

  /** One term, from the number of the store to the end of the lease. */
  const serveTerm = async () => {
    const { wins } = leadership;
    const number = await loopParts.store.nextTerm();
    // What came before is in what the term reads first.
    changes.clear();
    const mandate = { term: number, stands: () => leads() && leadership.wins === wins };
    const served = new Term({ ...loopParts, changes, rest, mandate, expectations });
    term = { number, served };
    try {
      await served.serve();
    } finally {
      placedBefore += served.placed;
      preemptedBefore += served.preempted;
      expiredBefore += served.expired;
      term = null;
      log.info({ term: number }, 'not leading any more');
    }
  };

  const run = async () => {
    while (!stopping) {
      if (!leads()) {
        await rest.rest(Number.MAX_SAFE_INTEGER);
        // Nothing is kept while standing by.
        if (!leads()) changes.clear();
        continue;
      }
      try {
        await serveTerm();
      } catch (error) {
        log.warn({ fault: messageOf(error) }, 'a term of leadership ended in a fault');
        if (error instanceof Deposed) await leadership.resign();
        const until = clock.monotonic() + RETRY_MS;
        while (!stopping && clock.monotonic() < until) await rest.rest(until - clock.monotonic());
      }
    }
  };

  return {
    start: async () => {
      unsubscribe = [
        await intake.onAdded((ids) => {
          if (term) changes.addIds(ids);
        }),
        await bus.subscribe((event) => {
          if (term) changes.addEvent(event);
        }),
      ];
      leadership.start();
      running = run();
    },
    stop: async () => {
      stopping = true;
      rest.wake();
      await running;
      await leadership.stop();
      await Promise.all(unsubscribe.map((end) => end()));
    },
    report: () => (term?.served.isLoaded ? { at: clock.now(), ...term.served.report() } : null),
    status: () => ({
      leading: leads() && (term?.served.isLoaded ?? false),
      term: term?.number ?? null,
      backlog: term?.served.index.backlog.size ?? 0,
      holding: term?.served.index.ledger.size ?? 0,
      placed: placedBefore + (term?.served.placed ?? 0),
      preempted: preemptedBefore + (term?.served.preempted ?? 0),
      expired: expiredBefore + (term?.served.expired ?? 0),
    }),
  };
}
