// One term of leadership: builds the index, then turns until the mandate ends. Each turn works in what has
// changed, plans, places, and does what is due by time. One thing at a time: whatever arrives meanwhile waits in
// `changes` and is seen by the next turn, so nothing is decided on a picture that changes under the decision.

import { messageOf } from '../shared/errors.ts';
import type { Changes } from './changes.ts';
import { ClusterIndex } from './cluster-index.ts';
import type { Expectations } from './expectations.ts';
import { Expiry } from './expiry.ts';
import { Handoff } from './handoff.ts';
import { HealthWatch } from './health-watch.ts';
import { Deposed, type LoopParts, type Mandate } from './parts.ts';
import { Passes } from './passes.ts';
import { letOthersRun, type Rest } from './pauses.ts';
import { Picture } from './picture.ts';
import { Reaper } from './reaper.ts';
import { Repair } from './repair.ts';
import { Reporting, readLastReport } from './reporting.ts';
import { Sampling } from './sampling.ts';
import { SlaSurvey } from './sla-survey.ts';

const LOOK_LONGEST_MS = 3_000;
const LOOK_CLOSELY_MS = 300;
/** Lines of which the next leader is told when they were served: some 50 kB each second at most. */
const MOST_SERVED_TOLD = 500;
const BACK_OFF_MS = 100;
const BACK_OFF_LONGEST_MS = 5_000;
const RESTORED = 'the record was restored from a backup: the next term reads it anew';

export interface TermParts extends LoopParts {
  readonly changes: Changes;
  readonly rest: Rest;
  readonly mandate: Mandate;
  readonly expectations: Expectations;
}

export class Term {
  readonly #parts: TermParts;
  readonly index: ClusterIndex;
  readonly #picture: Picture;
  readonly #handoff: Handoff;
  readonly #passes: Passes;
  readonly #expiry: Expiry;
  readonly #reaper: Reaper;
  readonly #repair: Repair;
  readonly #survey: SlaSurvey;
  /** What goes on beside the turns once the index is there. */
  readonly #beside: readonly { start(): void; stop(): Promise<void> }[];
  #isLoaded = false;
  /** Something changed since the last pass. */
  #dirty = true;
  #lookAt = 0;
  #repairAt = 0;
  /** Of the record that the index was built from. */
  #generation = 0;

  constructor(parts: TermParts) {
    this.#parts = parts;
    this.index = new ClusterIndex(
      parts.store,
      (task) => parts.expectations.runTimeOf(task),
      (task) => parts.tally.returned(task),
    );
    const { index } = this;
    this.#handoff = new Handoff(parts);
    const health = new HealthWatch({ ledger: index.ledger, log: parts.log, graceMs: parts.unhealthyGraceMs });
    this.#reaper = new Reaper({ ...parts, health }, index);
    this.#picture = new Picture({
      ...parts,
      index,
      silent: () => this.#reaper.silent,
      holdingsOf: (workerId) => this.#passes.evictions.holdingsOf(workerId),
    });
    this.#passes = new Passes({ ...parts, index, health, handoff: this.#handoff, picture: this.#picture });
    this.#expiry = new Expiry({ ...parts, index, reasonOf: (key) => this.#passes.reasonOf(key) });
    this.#repair = new Repair(parts, index, this.#handoff, this.#reaper);
    const sampling = new Sampling({ ...parts, ledger: index.ledger, placed: () => this.placed });
    const reporting = new Reporting({ ...parts, tell: () => this.report() });
    this.#survey = new SlaSurvey({ ...parts, index });
    this.#beside = [this.#picture, sampling, reporting, this.#survey];
  }

  /** The index is there, and turns have begun. */
  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  get placed(): number {
    return this.#passes.placed;
  }

  get preempted(): number {
    return this.#passes.evictions.preempted;
  }

  /** Tasks that waited for too long. */
  get expired(): number {
    return this.#expiry.expired;
  }

  /** Returns when the mandate does not stand any more; throws `Deposed` when the store says so. */
  async serve(): Promise<void> {
    const { mandate, log, rest, clock } = this.#parts;
    let faults = 0;
    try {
      while (mandate.stands()) {
        try {
          if (!this.#isLoaded) {
            await this.#load();
            if (!mandate.stands()) break;
            for (const one of this.#beside) one.start();
            this.#isLoaded = true;
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
      const { expectations } = this.#parts;
      const ends = [...this.#beside.map((one) => one.stop()), expectations.end()];
      await Promise.all([this.#handoff.settled(), this.#passes.settled(), ...ends]);
    }
  }

  async #load(): Promise<void> {
    const { clock, mandate, log, rules, expectations, store, tally } = this.#parts;
    const began = clock.monotonic();
    this.#generation = await store.generation();
    const [{ memory, served, counted }] = await Promise.all([
      readLastReport(this.#parts),
      expectations.begin(),
    ]);
    this.#passes.resume(memory);
    tally.resume(counted, clock.now());
    this.index.backlog.resume(served);
    await this.index.load(
      () => clock.now(),
      () => mandate.stands(),
    );
    await this.#picture.readQuotas();
    this.#passes.evictions.watchDrains();
    const { backlog, ledger } = this.index;
    const tookMs = Math.round(clock.monotonic() - began);
    log.info(
      {
        term: mandate.term,
        ...rules,
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
    const { clock, changes, reconcileMs, expectations, store } = this.#parts;
    await this.#workIn();
    if (clock.monotonic() >= this.#lookAt) await this.#look();
    const { evictions } = this.#passes;
    if ((await evictions.moveDrained()) + (await evictions.moveUnstarted()) > 0) this.#dirty = true;
    // Before the pass: what has waited for too long is not placed any more.
    const overdue = await this.#expiry.round();
    let more = (await this.#pass()) || overdue;
    if (clock.monotonic() >= this.#repairAt) {
      this.#repairAt = clock.monotonic() + reconcileMs;
      // Nobody may have heard of it.
      if ((await store.generation()) !== this.#generation) throw new Deposed(RESTORED);
      await this.#repair.round();
      await this.#picture.readQuotas();
      await this.#passes.evictions.repeat();
      this.#dirty = true;
    }
    if (await this.#readOn()) more = true;
    if (await expectations.catchUp(this.index, store, clock.now())) more = true;
    return more || this.#dirty || !changes.isEmpty;
  }

  /** Takes in more of what waited before this term. True when that was not all. */
  async #readOn(): Promise<boolean> {
    const { clock, mandate } = this.#parts;
    const before = this.index.backlog.size;
    const more = await this.index.loadMore(
      () => clock.now(),
      () => mandate.stands(),
    );
    if (this.index.backlog.size !== before) this.#dirty = true;
    return more;
  }

  async #look(): Promise<void> {
    const { clock, workerLeaseMs } = this.#parts;
    if (await this.#reaper.look()) this.#dirty = true;
    this.#passes.evictions.watchDrains();
    // Who is just starting or on the brink is looked at more often.
    const { ledger } = this.index;
    const isUnclear = [...this.#reaper.silent].some((id) => ledger.worker(id)?.liveness === 'up');
    const pauseMs = Math.min(isUnclear ? LOOK_CLOSELY_MS : LOOK_LONGEST_MS, workerLeaseMs / 5);
    this.#lookAt = clock.monotonic() + pauseMs;
  }

  async #workIn(): Promise<void> {
    const { changes, clock, log } = this.#parts;
    if (changes.isRestored) throw new Deposed(RESTORED);
    const dropped = changes.takeDropped();
    if (dropped > 0) {
      log.warn({ dropped }, 'more changes than can be kept; the next sweep finds them');
      this.#repairAt = 0;
    }
    if (changes.isEmpty) return;
    this.#dirty = true;
    const batch = changes.take();
    const { tasks, ids, workers, quotas } = batch;
    try {
      const unclear = tasks.filter((event) => this.index.applyEvent(event)).map(({ taskId }) => taskId);
      const toRead = new Set([...unclear, ...ids.filter((id) => !this.index.backlog.has(id))]);
      await this.index.read([...toRead], () => clock.now());
      await this.#reaper.reload(workers);
      // A quota set before a task was submitted may be told after it, as the two come on different ways.
      if (quotas || changes.hasQuotas) await this.#picture.readQuotas();
      // Somebody registered, left or came back: see at once who is alive.
      if (workers.length > 0) this.#lookAt = 0;
    } catch (error) {
      changes.putBack(batch);
      throw error;
    }
  }

  async #pass(): Promise<boolean> {
    if (this.index.backlog.ripen(this.#parts.clock.now()) > 0) this.#dirty = true;
    if (!this.#dirty) return false;
    this.#dirty = false;
    const more = await this.#passes.run();
    if (more) this.#dirty = true;
    return more;
  }

  /** By the monotonic clock. */
  #nextDue(): number {
    const { clock } = this.#parts;
    const ripe = this.index.backlog.nextRipeAt();
    const ripeIn = ripe === null ? Number.POSITIVE_INFINITY : ripe - clock.now();
    const nextIn = Math.max(1, Math.min(ripeIn, this.#expiry.nextIn(), this.#passes.evictions.nextDrainIn()));
    return Math.min(this.#lookAt, this.#repairAt, clock.monotonic() + nextIn);
  }

  /** What it tells of itself. */
  report() {
    const { mandate, rules, tally } = this.#parts;
    const { recent, reservations } = this.#passes.memory;
    const { backlog } = this.index;
    const { size: waiting, lines } = backlog;
    const served = backlog.served(MOST_SERVED_TOLD);
    const { placed, preempted } = this;
    const told = { rules, recent, reservations, served, waiting, lines, placed, preempted };
    return { term: mandate.term, ...told, counts: tally.read(), standing: this.#survey.standing };
  }
}
