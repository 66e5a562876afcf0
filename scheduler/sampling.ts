// Keeps telemetry over time while this process leads: a fine point of each series when its step is over, a coarse one
// of the fine ones when theirs is. Runs beside the turns of the term and reads their picture as it is; nothing waits for
// it, and what goes wrong here is logged and costs points, never a placement.

import { messageOf } from '../shared/errors.ts';
import { CLUSTER_SERIES, GRAIN_KEPT_MS, GRAIN_STEP_MS, GRAINS } from '../shared/model/history.ts';
import { foldToCoarse, stepStart } from '../shared/model/history-fold.ts';
import { TERMINAL_STATES } from '../shared/model/task-states.ts';
import type { WorkerUsage } from '../shared/model/worker.ts';
import { withDeadline } from '../shared/platform/deadline.ts';
import { historySample, MOST_WORKER_SERIES } from './core/history-sample.ts';
import type { Ledger } from './core/ledger.ts';
import type { LoopParts, Mandate } from './parts.ts';
import { letOthersRun } from './pauses.ts';

const FINE = GRAIN_STEP_MS.fine;
const COARSE = GRAIN_STEP_MS.coarse;
/** The clock may be set, the machine may sleep: looked at more often than a step takes. */
const LOOK_EVERY_MS = 1_000;
/** Points of one write: a store in this process holds the thread for so long. */
const WRITE_BATCH = 50;
/** A rate over less than this says nothing of the step. */
const LEAST_RATE_MS = FINE / 2;
const STOP_DEADLINE_MS = 3_000;

export interface SamplingParts extends Pick<LoopParts, 'store' | 'presence' | 'clock' | 'log'> {
  readonly mandate: Mandate;
  readonly ledger: Ledger;
  /** Tasks placed in this term. */
  readonly placed: () => number;
}

interface Counts {
  /** Monotonic. */
  readonly at: number;
  readonly placed: number;
  readonly ended: number;
}

export class Sampling {
  readonly #parts: SamplingParts;
  #timer: NodeJS.Timeout | null = null;
  #round: Promise<void> | null = null;
  /** Start of the step that runs. */
  #step: number | null = null;
  #before: Counts | null = null;
  /** Coarse steps before this one are done; null until it was looked. */
  #foldedUntil: number | null = null;
  #isFaulty = false;

  constructor(parts: SamplingParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#step = stepStart(this.#parts.clock.now(), FINE);
    this.#begin(async () => {
      this.#before = (await this.#count()).counts;
      await this.#fold();
    });
    this.#next();
  }

  /** Resolves when nothing is under way, or after a few seconds. */
  async stop(): Promise<void> {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    await withDeadline(this.#round ?? Promise.resolve(), STOP_DEADLINE_MS, () => new Error('late')).catch(
      (error) =>
        this.#parts.log.debug({ fault: messageOf(error) }, 'left a sample of the cluster unfinished'),
    );
  }

  #next(): void {
    const { clock } = this.#parts;
    const now = clock.now();
    const untilStep = stepStart(now, FINE) + FINE - now;
    this.#timer = setTimeout(
      () => {
        this.#look();
        this.#next();
      },
      Math.min(untilStep, LOOK_EVERY_MS),
    );
  }

  #look(): void {
    const { clock, mandate } = this.#parts;
    const step = stepStart(clock.now(), FINE);
    if (step === this.#step || this.#round || !mandate.stands()) return;
    this.#step = step;
    this.#begin(async () => {
      await this.#sample(step - FINE);
      await this.#fold();
    });
  }

  #begin(work: () => Promise<void>): void {
    this.#round = work()
      .then(
        () => {
          this.#isFaulty = false;
        },
        (error) => {
          if (!this.#isFaulty) {
            this.#parts.log.warn({ fault: messageOf(error) }, 'telemetry of the cluster is not kept now');
          }
          this.#isFaulty = true;
        },
      )
      .finally(() => {
        this.#round = null;
      });
  }

  async #sample(at: number): Promise<void> {
    const { ledger } = this.#parts;
    const usage = await this.#usage();
    const { tasksByState, counts } = await this.#count();
    const before = this.#before;
    this.#before = counts;
    const spanMs = before ? counts.at - before.at : 0;
    const perSecond = (of: 'placed' | 'ended') =>
      // Tasks that were removed must not make it negative.
      before && spanMs >= LEAST_RATE_MS ? (Math.max(0, counts[of] - before[of]) / spanMs) * 1_000 : null;
    await this.#write(
      historySample({
        at,
        workers: ledger.workers().map((worker) => ({
          worker,
          held: ledger.held(worker.id),
          running: ledger.holdingsOf(worker.id).filter(({ state }) => state === 'running').length,
          usage: usage.get(worker.id) ?? null,
        })),
        tasksByState,
        placementsPerSecond: perSecond('placed'),
        finishedPerSecond: perSecond('ended'),
      }),
    );
  }

  /** By worker. Without heartbeats the rest is still worth keeping. */
  async #usage(): Promise<Map<string, WorkerUsage>> {
    const { presence, log } = this.#parts;
    try {
      return new Map((await presence.present()).map(({ workerId, usage }) => [workerId, usage]));
    } catch (error) {
      log.debug({ fault: messageOf(error) }, 'sampling without heartbeats');
      return new Map();
    }
  }

  async #count() {
    const { store, clock, placed } = this.#parts;
    const now = { at: clock.monotonic(), placed: placed() };
    const tasksByState = await store.tasks.countByState();
    const counts: Counts = {
      ...now,
      ended: TERMINAL_STATES.reduce((sum, state) => sum + tasksByState[state], 0),
    };
    return { tasksByState, counts };
  }

  /** Coarse points of all steps that are over and have none, also of those an earlier leader left, and what is too old. */
  async #fold(): Promise<void> {
    const { store, clock, ledger, mandate } = this.#parts;
    const now = clock.now();
    const until = stepStart(now, COARSE);
    if (until === this.#foldedUntil) return;
    const oldest = stepStart(now - GRAIN_KEPT_MS.fine, COARSE) + COARSE;
    const from = Math.max(oldest, Math.min(this.#foldedUntil ?? oldest, until));
    const missing = await this.#withoutPoint(from, until);
    const [first] = missing;
    if (first !== undefined) {
      const workers = ledger.workers().slice(0, MOST_WORKER_SERIES);
      // The cluster comes last: its point says that those of the workers are there.
      for (const series of [...workers.map(({ id }) => id), CLUSTER_SERIES]) {
        if (!mandate.stands()) return;
        const fine = await store.history.read({ series, grain: 'fine', from: first, to: until });
        await this.#write(foldToCoarse(fine.filter(({ at }) => missing.includes(stepStart(at, COARSE)))));
        await letOthersRun();
      }
    }
    this.#foldedUntil = until;
    for (const grain of GRAINS) await store.history.prune(grain, now - GRAIN_KEPT_MS[grain]);
  }

  async #withoutPoint(from: number, until: number): Promise<number[]> {
    if (from >= until) return [];
    const { history } = this.#parts.store;
    const there = await history.read({ series: CLUSTER_SERIES, grain: 'coarse', from, to: until });
    const starts = Array.from({ length: (until - from) / COARSE }, (_, n) => from + n * COARSE);
    return starts.filter((start) => !there.some(({ at }) => at === start));
  }

  async #write(points: Parameters<LoopParts['store']['history']['put']>[0]): Promise<void> {
    const { store, mandate } = this.#parts;
    for (let at = 0; at < points.length && mandate.stands(); at += WRITE_BATCH) {
      await store.history.put(points.slice(at, at + WRITE_BATCH));
      if (at + WRITE_BATCH < points.length) await letOthersRun();
    }
  }
}
