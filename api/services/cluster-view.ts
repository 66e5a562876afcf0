// What the cluster looks like right now, put together from the records and the heartbeats. Kept for a moment and
// read once for all who ask meanwhile, so that a thousand pollers cost as much as one.

import type { AwaitedWorker, ClusterSnapshot, WorkerView } from '../../shared/contracts/cluster.ts';
import { AppError } from '../../shared/errors.ts';
import type { ForecastScore } from '../../shared/model/forecast-score.ts';
import type { Allocation } from '../../shared/model/held.ts';
import { CLUSTER_SERIES, GRAIN_STEP_MS } from '../../shared/model/history.ts';
import { hasJoined } from '../../shared/model/registration.ts';
import { addResources, NO_RESOURCES, subtractResources } from '../../shared/model/resources.ts';
import type { SlaAttainment } from '../../shared/model/sla.ts';
import { type HeardWorker, withTroubles, workerState } from '../../shared/model/worker.ts';
import type { Log } from '../../shared/platform/log.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { PresentWorker, WorkerPresence } from '../../shared/ports/coordination.ts';
import type { Store } from '../../shared/ports/store.ts';
import { answerWithin } from './deadline.ts';
import type { SchedulerNews } from './scheduler-news.ts';

export interface ClusterViewParts {
  readonly store: Pick<Store, 'tasks' | 'workers' | 'registrations' | 'history'>;
  readonly presence: WorkerPresence;
  readonly news: Pick<SchedulerNews, 'report'>;
  /** How tasks did against their deadlines; null while that is not known. */
  readonly attainment: () => SlaAttainment | null;
  readonly scores: () => ForecastScore;
  readonly retentionMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

const FRESH_MS = 400;
const PRESENCE_DEADLINE_MS = 1_500;
/** A rate that began earlier is no news. */
const RATE_FRESH_MS = 3 * GRAIN_STEP_MS.fine;

export class ClusterView {
  readonly #parts: ClusterViewParts;
  #last: { snapshot: Promise<ClusterSnapshot>; since: number; done: boolean } | null = null;

  constructor(parts: ClusterViewParts) {
    this.#parts = parts;
  }

  /** At most 0.4 s old when it is handed out, or as old as it takes to read. */
  snapshot(): Promise<ClusterSnapshot> {
    const now = this.#parts.clock.monotonic();
    if (this.#last && (!this.#last.done || now - this.#last.since < FRESH_MS)) return this.#last.snapshot;
    const last = { snapshot: this.#read(), since: now, done: false };
    this.#last = last;
    last.snapshot.then(
      () => {
        last.done = true;
      },
      () => {
        // A fault is not kept for the next one to ask.
        if (this.#last === last) this.#last = null;
      },
    );
    return last.snapshot;
  }

  /** The next one to ask gets what is true from now on. */
  forget(): void {
    this.#last = null;
  }

  async worker(id: string): Promise<WorkerView | AwaitedWorker> {
    const { workers, awaited } = await this.snapshot();
    const found =
      workers.find(({ worker }) => worker.id === id) ?? awaited.find((one) => one.awaited.id === id);
    if (!found) throw new AppError('not_found', `there is no worker ${id}; GET /workers lists them`);
    return found;
  }

  async #read(): Promise<ClusterSnapshot> {
    const { store, clock } = this.#parts;
    const [workers, registrations, allocations, tasksByState, present, placementsPerSecond, scheduler] =
      await Promise.all([
        store.workers.list(),
        store.registrations.list(),
        store.tasks.allocations(),
        store.tasks.countByState(),
        this.#present(),
        this.#placementsPerSecond(),
        this.#parts.news.report(),
      ]);
    const held = new Map<string, Allocation[]>(workers.map(({ id }) => [id, []]));
    for (const allocation of allocations) held.get(allocation.workerId)?.push(allocation);
    const beats = new Map(present.map((beat) => [beat.workerId, beat]));
    const known = new Map(workers.map((worker) => [worker.id, worker]));
    const awaited = registrations.filter((one) => !hasJoined(one, known.get(one.id)));
    const again = new Map(awaited.map((one) => [one.id, one]));
    return {
      at: clock.now(),
      workers: withTroubles(workers, present).map((worker) => ({
        ...view(worker, held.get(worker.id) ?? [], beats.get(worker.id)),
        awaited: again.get(worker.id),
      })),
      awaited: awaited.filter(({ id }) => !known.has(id)).map((one) => ({ awaited: one })),
      tasksByState,
      placementsPerSecond,
      sla: this.#parts.attainment(),
      forecasts: this.#parts.scores(),
      scheduler,
      retentionMs: this.#parts.retentionMs,
    };
  }

  /** Of the newest step that is over. */
  async #placementsPerSecond(): Promise<number | null> {
    const { store, clock } = this.#parts;
    const now = clock.now();
    // The scheduler's clock may be a little ahead.
    const of = { from: now - RATE_FRESH_MS, to: now + RATE_FRESH_MS };
    const points = await store.history.read({ series: CLUSTER_SERIES, grain: 'fine', ...of });
    return points.at(-1)?.values.placements_per_second ?? null;
  }

  /** The records can be shown without heartbeats. */
  async #present(): Promise<PresentWorker[]> {
    try {
      return await answerWithin(this.#parts.presence.present(), PRESENCE_DEADLINE_MS, 'Redis');
    } catch (error) {
      this.#parts.log.debug({ err: error }, 'heartbeats cannot be read');
      return [];
    }
  }
}

function view(worker: HeardWorker, held: readonly Allocation[], beat: PresentWorker | undefined): WorkerView {
  const reserved = held.reduce((sum, { resources }) => addResources(sum, resources), NO_RESOURCES);
  const running = held.filter(({ state }) => state === 'running').length;
  return {
    worker,
    state: workerState(worker),
    reserved,
    free: subtractResources(worker.capacity, reserved),
    assigned: held.length - running,
    running,
    heartbeatAgeMs: beat?.ageMs ?? null,
    clockOffsetMs: beat?.clockOffsetMs ?? null,
    usage: beat?.usage ?? null,
  };
}
