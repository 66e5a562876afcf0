// Makes tasks leave their workers before their end: for a task of higher priority, because a worker that is drained is to
// be empty by now, or because one is unhealthy and does not start them. Each is written over the revision it was decided on and under the leader's term, as placements are:
// a term that is over evicts nothing. A task that has not started waits again at once; a running one carries the wish in
// its record until its runner has stopped it, and a nudge, which may be lost and is repeated, only saves waiting.

import { currentAttempt, type Eviction, type Task } from '../shared/model/task.ts';
import { evictTask } from '../shared/model/task-life.ts';
import { announceMoved } from './announcing.ts';
import { type ClusterIndex, READ_BATCH } from './cluster-index.ts';
import type { Holding, Preemption } from './core/snapshot.ts';
import { sparedUntil } from './core/spared.ts';
import type { Handoff } from './handoff.ts';
import type { HealthWatch } from './health-watch.ts';
import type { LoopParts, Mandate } from './parts.ts';
import { letOthersRun } from './pauses.ts';
import { writeUnderTerm } from './term-writes.ts';

export interface EvictionParts extends Pick<LoopParts, 'store' | 'intake' | 'bus' | 'clock' | 'log'> {
  readonly index: ClusterIndex;
  readonly handoff: Handoff;
  readonly health: Pick<HealthWatch, 'overdue'>;
  readonly mandate: Mandate;
}

/** As long as a worker is kept for the head of a line; then the plan may choose other tasks to leave for it. */
const UNDER_WAY_MS = 600_000;
/** Running tasks that are nudged again in one round. */
const MOST_NUDGED = 500;

type Leave = Pick<Holding, 'taskId' | 'attempt' | 'workerId'> & Pick<Eviction, 'cause' | 'message'>;

interface Victims {
  /** Monotonic. */
  readonly since: number;
  readonly attempts: Map<string, number>;
}

export class Evictions {
  readonly #parts: EvictionParts;
  /** By the task that is to get their place. */
  readonly #underWay = new Map<string, Victims>();
  /** Task id → until when nobody may take its place, as its record said when somebody was to. */
  readonly #spared = new Map<string, number>();
  /** How many of those that are leaving were nudged in the rounds before. */
  #nudged = 0;
  #drains: readonly { readonly id: string; readonly until: number }[] = [];
  #preempted = 0;

  constructor(parts: EvictionParts) {
    this.#parts = parts;
  }

  /** How many were told to leave for a task of higher priority. */
  get preempted(): number {
    return this.#preempted;
  }

  /** What is held of a worker, without those whose place nobody may take. */
  holdingsOf(workerId: string): readonly Holding[] {
    const all = this.#parts.index.ledger.holdingsOf(workerId);
    if (this.#spared.size === 0) return all;
    return all.filter(({ taskId, isLeaving }) => isLeaving || !this.#spared.has(taskId));
  }

  /**
   * Returns true when another pass may decide otherwise. Throws `Deposed` when the mandate has ended or the store refuses
   * the term, and what the store throws.
   */
  async preempt(preemptions: readonly Preemption[]): Promise<boolean> {
    this.#forgetDone();
    const sparedBefore = this.#spared.size;
    const wanted = preemptions.filter(({ forTask }) => !this.#underWay.has(forTask));
    const leaves = wanted.map(({ taskId, attempt, workerId }) => ({
      taskId,
      attempt,
      workerId,
      cause: 'preempted' as const,
      message: `gave its place on ${workerId} to a task of higher priority`,
    }));
    const told = await this.#evict(leaves, (told) => {
      this.#preempted += told.size;
      const since = this.#parts.clock.monotonic();
      for (const { forTask, taskId, attempt } of wanted) {
        if (!told.has(taskId)) continue;
        const victims = this.#underWay.get(forTask) ?? { since, attempts: new Map() };
        victims.attempts.set(taskId, attempt);
        this.#underWay.set(forTask, victims);
      }
    });
    return told > 0 || this.#spared.size > sparedBefore;
  }

  /** Takes up which workers are to be empty by when. After their records were read. */
  watchDrains(): void {
    this.#drains = this.#parts.index.ledger
      .workers()
      .flatMap(({ id, liveness, maintenance, drainUntil }) =>
        liveness === 'up' && maintenance === 'draining' && drainUntil !== null
          ? [{ id, until: drainUntil }]
          : [],
      );
  }

  /**
   * Moves what is still on drained workers whose time is over. Returns how many were told to leave, throws as `preempt`
   * does.
   */
  async moveDrained(): Promise<number> {
    const { index, clock } = this.#parts;
    const leaves: Leave[] = [];
    for (const { id, until } of this.#drains) {
      if (until > clock.now()) continue;
      for (const { taskId, attempt, workerId, isLeaving } of index.ledger.holdingsOf(id)) {
        if (isLeaving) continue;
        const message = `moved away from ${id}, which is drained and was to be empty by now`;
        leaves.push({ taskId, attempt, workerId, cause: 'drained', message });
      }
    }
    return this.#evict(leaves);
  }

  /** Takes what has not started from workers that cannot start it. Returns and throws as `preempt` does. */
  async moveUnstarted(): Promise<number> {
    const { health, clock } = this.#parts;
    return this.#evict(health.overdue(clock.monotonic()));
  }

  /** Milliseconds until the time of a drained worker is over; infinite when none is to come. */
  nextDrainIn(): number {
    const now = this.#parts.clock.now();
    return this.#drains.reduce(
      (least, { until }) => (until > now ? Math.min(least, until - now) : least),
      Number.POSITIVE_INFINITY,
    );
  }

  /**
   * Nudges the runners of running tasks that are to leave and have not; of very many some in each round, all in turn.
   * Throws what the store throws.
   */
  async repeat(): Promise<void> {
    const { store, index } = this.#parts;
    const leaving: string[] = [];
    for (const { taskId, isLeaving, state } of index.ledger.holdings()) {
      if (isLeaving && state === 'running') leaving.push(taskId);
    }
    if (this.#nudged >= leaving.length) this.#nudged = 0;
    const some = leaving.slice(this.#nudged, this.#nudged + MOST_NUDGED);
    if (some.length === 0) return;
    this.#nudged += some.length;
    const records = await store.tasks.getMany(some);
    await this.#nudge(records.filter((task) => task.cancel === null && evictionOf(task) !== null));
  }

  async #evict(
    leaves: readonly Leave[],
    onTold: (ids: ReadonlySet<string>) => void = () => undefined,
  ): Promise<number> {
    if (leaves.length === 0) return 0;
    // What was placed a moment ago is on its way out of the intake queue: it must not leave it after it has come back.
    await this.#parts.handoff.settled();
    let count = 0;
    for (let at = 0; at < leaves.length; at += READ_BATCH) {
      if (at > 0) await letOthersRun();
      const told = await this.#evictBatch(leaves.slice(at, at + READ_BATCH));
      count += told.length;
      onTold(new Set(told.map(({ id }) => id)));
    }
    return count;
  }

  async #evictBatch(leaves: readonly Leave[]): Promise<readonly Task[]> {
    const { store, index, clock, mandate, log } = this.#parts;
    const known = new Map(leaves.map((leave) => [leave.taskId, leave]));
    const records = await store.tasks.getMany([...known.keys()]);
    const requestedAt = clock.now();
    const next: Task[] = [];
    for (const task of records) {
      const leave = known.get(task.id) as Leave;
      const until = leave.cause === 'preempted' ? sparedUntil(task, requestedAt) : null;
      if (until !== null) {
        this.#spared.set(task.id, until);
        known.delete(task.id);
        continue;
      }
      const step = evictTask(task, { ...leave, requestedAt });
      // It has ended, moved on, or is on its way out by itself.
      if (!step.ok || evictionOf(task) !== null) index.learn(task, requestedAt);
      else next.push(step.task);
      known.delete(task.id);
    }
    for (const gone of known.keys()) index.forget(gone);
    const { written, refused } = await writeUnderTerm(this.#parts, next, mandate);
    // What was changed meanwhile is looked at again by the next turn.
    for (const task of [...written, ...refused]) index.learn(task, requestedAt);
    if (written.length > 0) {
      log.info({ tasks: written.length, why: leaves[0]?.cause }, 'told tasks to leave their workers');
      await Promise.all([announceMoved(this.#parts, written), this.#nudge(written, leaves)]);
    }
    return written;
  }

  /** Also of those that have not started: the runner may be making their images present. */
  async #nudge(tasks: readonly Task[], leaves: readonly Leave[] = []): Promise<void> {
    const workers = new Map(leaves.map(({ taskId, workerId }) => [taskId, workerId]));
    await Promise.all(
      tasks.map(({ id, workerId }) => {
        const at = workers.get(id) ?? workerId;
        return at === null ? undefined : this.#parts.bus.nudge(at, { type: 'evict', taskId: id });
      }),
    );
  }

  #forgetDone(): void {
    const { index, clock } = this.#parts;
    const now = clock.now();
    for (const [taskId, until] of this.#spared) {
      if (until <= now || index.ledger.holding(taskId) === null) this.#spared.delete(taskId);
    }
    for (const [forTask, { since, attempts }] of this.#underWay) {
      for (const [taskId, attempt] of attempts) {
        if (index.ledger.holding(taskId)?.attempt !== attempt) attempts.delete(taskId);
      }
      if (attempts.size === 0 || clock.monotonic() - since > UNDER_WAY_MS) this.#underWay.delete(forTask);
    }
  }
}

function evictionOf(task: Task): Eviction | null {
  return currentAttempt(task)?.eviction ?? null;
}
