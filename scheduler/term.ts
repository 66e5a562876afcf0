// One term of leadership: builds the index, then turns until the mandate ends. Each turn works in what has
// changed, plans, places, and does what is due by time. One thing at a time: whatever arrives meanwhile waits in
// `changes` and is seen by the next turn, so nothing is decided on a picture that changes under the decision.

import { messageOf } from '../shared/errors.ts';
import { DEFAULT_RULES } from '../shared/model/scheduling.ts';
import type { Changes } from './changes.ts';
import { ClusterIndex } from './cluster-index.ts';
import { PASS_LIMIT, plan } from './core/plan.ts';
import { NO_MEMORY, type PlanMemory, type WorkerView } from './core/snapshot.ts';
import { Handoff } from './handoff.ts';
import { Deposed, type LoopParts, type Mandate } from './parts.ts';
import { letOthersRun, type Rest } from './pauses.ts';
import { applyPlacements } from './placing.ts';
import { Reaper } from './reaper.ts';
import { Repair } from './repair.ts';
import { Sampling } from './sampling.ts';

const LOOK_LONGEST_MS = 3_000;
const LOOK_CLOSELY_MS = 300;
const BACK_OFF_MS = 100;
const DEFAULT_RUN = { medianMs: 300_000 };
const BACK_OFF_LONGEST_MS = 5_000;

export interface TermParts extends LoopParts {
  readonly changes: Changes;
  readonly rest: Rest;
  readonly mandate: Mandate;
}

export class Term {
  readonly #parts: TermParts;
  readonly index: ClusterIndex;
  readonly #handoff: Handoff;
  readonly #reaper: Reaper;
  readonly #repair: Repair;
  readonly #sampling: Sampling;
  readonly #seed: number;
  #memory: PlanMemory = NO_MEMORY;
  #placed = 0;
  /** Something changed since the last pass. */
  #dirty = true;
  #lookAt = 0;
  #repairAt = 0;

  constructor(parts: TermParts) {
    this.#parts = parts;
    this.index = new ClusterIndex(parts.store, () => DEFAULT_RUN);
    this.#handoff = new Handoff(parts);
    this.#reaper = new Reaper(parts, this.index);
    this.#repair = new Repair(parts, this.index, this.#handoff, this.#reaper);
    this.#sampling = new Sampling({ ...parts, ledger: this.index.ledger, placed: () => this.#placed });
    this.#seed = Math.floor(parts.random() * 2 ** 31);
  }

  get placed(): number {
    return this.#placed;
  }

  /** Returns when the mandate does not stand any more; throws `Deposed` when the store says so. */
  async serve(): Promise<void> {
    const { mandate, log, rest, clock } = this.#parts;
    let faults = 0;
    let isLoaded = false;
    try {
      while (mandate.stands()) {
        try {
          if (!isLoaded) {
            await this.#load();
            if (!mandate.stands()) break;
            isLoaded = true;
            this.#sampling.start();
          }
          const more = await this.#turn();
          faults = 0;
          if (more) await letOthersRun();
          else await rest.rest(this.#nextDue() - clock.monotonic());
        } catch (error) {
          if (!mandate.stands()) break;
          if (error instanceof Deposed) throw error;
          faults += 1;
          const pauseMs = Math.min(BACK_OFF_LONGEST_MS, BACK_OFF_MS * 2 ** Math.min(faults, 10));
          log.warn({ fault: messageOf(error), pauseMs }, 'the scheduler goes on after a pause');
          this.#dirty = true;
          const until = clock.monotonic() + pauseMs;
          while (mandate.stands() && clock.monotonic() < until) await rest.rest(until - clock.monotonic());
        }
      }
    } finally {
      await Promise.all([this.#handoff.settled(), this.#sampling.stop()]);
    }
  }

  async #load(): Promise<void> {
    const { clock, mandate, log } = this.#parts;
    const began = clock.monotonic();
    await this.index.load(
      () => clock.now(),
      () => mandate.stands(),
    );
    const { backlog, ledger } = this.index;
    const tookMs = Math.round(clock.monotonic() - began);
    log.info(
      {
        term: mandate.term,
        waiting: backlog.size,
        placed: ledger.size,
        workers: ledger.workers().length,
        tookMs,
      },
      'leading',
    );
  }

  /** True when another turn right away has something to do. */
  async #turn(): Promise<boolean> {
    const { clock, changes, reconcileMs } = this.#parts;
    await this.#workIn();
    if (clock.monotonic() >= this.#lookAt) await this.#look();
    const more = await this.#pass();
    if (clock.monotonic() >= this.#repairAt) {
      this.#repairAt = clock.monotonic() + reconcileMs;
      await this.#repair.round();
      this.#dirty = true;
    }
    return more || this.#dirty || !changes.isEmpty;
  }

  async #look(): Promise<void> {
    const { clock, workerLeaseMs } = this.#parts;
    if (await this.#reaper.look()) this.#dirty = true;
    // Who is just starting or on the brink is looked at more often.
    const { ledger } = this.index;
    const isUnclear = [...this.#reaper.silent].some((id) => ledger.worker(id)?.liveness === 'up');
    const pauseMs = Math.min(isUnclear ? LOOK_CLOSELY_MS : LOOK_LONGEST_MS, workerLeaseMs / 5);
    this.#lookAt = clock.monotonic() + pauseMs;
  }

  /** What the plan may use. */
  #workers(): WorkerView[] {
    const views = this.index.ledger.views();
    const { silent } = this.#reaper;
    if (silent.size === 0) return views;
    return views.map((view) => (silent.has(view.id) ? { ...view, state: 'down' } : view));
  }

  async #workIn(): Promise<void> {
    const { changes, clock, log } = this.#parts;
    const dropped = changes.takeDropped();
    if (dropped > 0) {
      log.warn({ dropped }, 'more changes than can be kept; the next sweep finds them');
      this.#repairAt = 0;
    }
    if (changes.isEmpty) return;
    this.#dirty = true;
    const { tasks, ids, workers } = changes.take();
    try {
      const unclear = tasks.filter((event) => this.index.applyEvent(event)).map(({ taskId }) => taskId);
      const toRead = new Set([...unclear, ...ids.filter((id) => !this.index.backlog.has(id))]);
      await this.index.read([...toRead], () => clock.now());
      await this.#reaper.reload(workers);
      // Somebody registered, left or came back: see at once who is alive.
      if (workers.length > 0) this.#lookAt = 0;
    } catch (error) {
      changes.addIds(ids);
      changes.addWorkers(workers);
      for (const event of tasks) changes.addEvent(event);
      throw error;
    }
  }

  async #pass(): Promise<boolean> {
    const { clock, mandate, changes, log } = this.#parts;
    const { backlog, ledger } = this.index;
    const now = clock.now();
    if (backlog.ripen(now) > 0) this.#dirty = true;
    if (!this.#dirty) return false;
    this.#dirty = false;
    const made = plan(
      {
        workers: this.#workers(),
        groups: backlog.groups(),
        owners: ledger.owners(),
        images: new Map(),
        holdingsOf: (workerId) => ledger.holdingsOf(workerId),
        rules: DEFAULT_RULES,
        memory: this.#memory,
        limit: PASS_LIMIT,
      },
      now,
      this.#seed,
    );
    this.#memory = made.memory;
    if (made.more) this.#dirty = true;
    log.debug(
      {
        placements: made.placements.length,
        waitingGroups: made.waiting.size,
        reserved: made.memory.reservations,
      },
      'pass',
    );
    this.#placed += await applyPlacements(
      { ...this.#parts, index: this.index, handoff: this.#handoff, reread: (ids) => changes.addIds(ids) },
      made.placements,
      mandate,
    );
    this.index.dropFresh();
    return made.more;
  }

  /** By the monotonic clock. */
  #nextDue(): number {
    const { clock } = this.#parts;
    const ripe = this.index.backlog.nextRipeAt();
    const ripeIn = ripe === null ? Number.POSITIVE_INFINITY : Math.max(1, ripe - clock.now());
    return Math.min(this.#lookAt, this.#repairAt, clock.monotonic() + ripeIn);
  }
}
