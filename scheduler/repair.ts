// Makes good what events, queues and crashes have lost, from what the store says. The cost of one round is
// bounded: a small backlog is swept whole, a large one in pieces; its newest end is looked at each time.

import { resourceShape } from '../shared/model/resources.ts';
import type { QueuedTask } from '../shared/ports/task-store.ts';
import { type ClusterIndex, QUEUED_PAGE } from './cluster-index.ts';
import { missingFromIntake, reconcilePlaced, strayInIntake } from './core/reconcile.ts';
import type { Holding } from './core/snapshot.ts';
import type { Handoff } from './handoff.ts';
import type { LoopParts } from './parts.ts';
import { letOthersRun } from './pauses.ts';
import type { Reaper } from './reaper.ts';

/** Pages of waiting tasks in one round. */
const MOST_PAGES = 10;
const INTAKE_PAGE = 500;

export class Repair {
  readonly #parts: LoopParts;
  readonly #index: ClusterIndex;
  readonly #handoff: Handoff;
  readonly #reaper: Reaper;
  /** Where the sweep over the store's waiting tasks goes on; undefined: at the start. */
  #sweepAfter: string | undefined;
  #sweeping = false;
  /** Newest id at the last round: what is newer was submitted since. */
  #tailAfter: string | undefined;
  #intakeOffset = 0;

  constructor(parts: LoopParts, index: ClusterIndex, handoff: Handoff, reaper: Reaper) {
    this.#parts = parts;
    this.#index = index;
    this.#handoff = handoff;
    this.#reaper = reaper;
  }

  /** Throws what store and queue throw; the next round goes on where this one stopped. */
  async round(): Promise<void> {
    await this.#handoff.settled();
    await this.#reaper.reloadAll();
    const overdue = await this.#repairPlaced();
    await this.#readTail();
    const swept = await this.#sweep();
    await this.#redeliver(overdue);
    await this.#repairIntake(swept);
  }

  /** Returns assigned tasks whose delivery may have been lost. */
  async #repairPlaced(): Promise<readonly Holding[]> {
    const { store, clock } = this.#parts;
    const { ledger } = this.#index;
    const allocations = await store.tasks.allocations();
    const repairs = reconcilePlaced({
      allocations,
      booked: ledger.holdings(),
      isAlive: (id) => ledger.worker(id)?.liveness === 'up',
      deliveredAt: (taskId, attempt) => this.#handoff.deliveredAt(taskId, attempt),
      now: clock.monotonic(),
    });
    for (const one of repairs.release) ledger.release(one.taskId, one.attempt);
    for (const one of repairs.book) {
      this.#index.backlog.remove(one.taskId);
      ledger.hold(one);
    }
    this.#handoff.keepOnly(allocations);
    for (const [workerId, lost] of byWorker(repairs.lost)) {
      await this.#reaper.takeBack(lost, `worker ${workerId} was lost`);
    }
    return repairs.redeliver;
  }

  /** A worker whose queue holds as much as was given to it has lost nothing and is only slow. */
  async #redeliver(overdue: readonly Holding[]): Promise<void> {
    const { deliveries, log } = this.#parts;
    await Promise.all(
      [...byWorker(overdue)].map(async ([workerId, own]) => {
        const given = this.#index.ledger.holdingsOf(workerId).length;
        if ((await deliveries.depth(workerId)) >= given) return;
        log.debug({ workerId, tasks: own.length }, 'delivering again');
        await this.#handoff.deliver(own);
      }),
    );
  }

  async #readTail(): Promise<void> {
    const newest = this.#index.newestId;
    if (this.#tailAfter !== undefined) await this.#readPages(this.#tailAfter, MOST_PAGES, () => undefined);
    this.#tailAfter = newest;
  }

  /** Goes on with the sweep; returns the tasks it passed. */
  async #sweep(): Promise<QueuedTask[]> {
    if (!this.#sweeping) {
      this.#index.backlog.beginSweep();
      this.#sweeping = true;
      this.#sweepAfter = undefined;
    }
    const passed: QueuedTask[] = [];
    const { last, ended } = await this.#readPages(this.#sweepAfter, MOST_PAGES, (page) =>
      passed.push(...page),
    );
    this.#sweepAfter = last ?? this.#sweepAfter;
    if (!ended) return passed;
    // The store went by without these: they are waiting no more, or were put in behind the sweep's back.
    const doubtful = this.#index.backlog.unconfirmed(QUEUED_PAGE);
    for (const id of doubtful) this.#index.backlog.remove(id);
    await this.#index.read(doubtful, () => this.#parts.clock.now());
    this.#sweeping = doubtful.length === QUEUED_PAGE;
    return passed;
  }

  async #readPages(
    from: string | undefined,
    most: number,
    onPage: (page: readonly QueuedTask[]) => void,
  ): Promise<{ last: string | undefined; ended: boolean }> {
    let after = from;
    for (let pages = 0; pages < most; pages += 1) {
      const page = await this.#parts.store.tasks.queued({ after, limit: QUEUED_PAGE });
      for (const task of page) this.#index.putQueued(task, this.#parts.clock.now());
      onPage(page);
      after = page.at(-1)?.id ?? after;
      if (page.length < QUEUED_PAGE) return { last: after, ended: true };
      await letOthersRun();
    }
    return { last: after, ended: false };
  }

  async #repairIntake(swept: readonly QueuedTask[]): Promise<void> {
    const { intake, clock } = this.#parts;
    const { backlog } = this.#index;
    const queued = swept.map(({ id }) => id).filter((id) => backlog.has(id));
    const intakeSize = await intake.size();
    const missing = new Set(missingFromIntake({ queued, intakeSize, backlogSize: backlog.size }));
    if (missing.size > 0) {
      await intake.add(
        swept
          .filter(({ id }) => missing.has(id))
          .map(({ id, priority, resources }) => ({ taskId: id, priority, shape: resourceShape(resources) })),
      );
    }
    if (intakeSize === 0) return;
    const entries = await intake.page(this.#intakeOffset, INTAKE_PAGE);
    const strays = strayInIntake(entries, (id) => backlog.has(id));
    await this.#index.read(strays, () => clock.now());
    const gone = strays.filter((id) => !backlog.has(id));
    if (gone.length > 0) await intake.remove(gone);
    this.#intakeOffset = entries.length < INTAKE_PAGE ? 0 : this.#intakeOffset + entries.length - gone.length;
  }
}

function byWorker(holdings: readonly Holding[]): Map<string, Holding[]> {
  const groups = new Map<string, Holding[]>();
  for (const one of holdings) {
    const group = groups.get(one.workerId);
    if (group) group.push(one);
    else groups.set(one.workerId, [one]);
  }
  return groups;
}
