// Looks after the workers' leases: declares workers down and up, and takes the tasks of lost ones back.

import { messageOf } from '../shared/errors.ts';
import type { Task } from '../shared/model/task.ts';
import { takeBackTask } from '../shared/model/task-life.ts';
import type { Liveness } from '../shared/model/worker.ts';
import { announceMoved } from './announcing.ts';
import { type ClusterIndex, READ_BATCH } from './cluster-index.ts';
import { judgeLiveness, type LivenessMemory, NOTHING_SEEN } from './core/liveness.ts';
import type { Holding } from './core/snapshot.ts';
import type { HealthWatch } from './health-watch.ts';
import type { LoopParts, Mandate } from './parts.ts';
import { writeUnderTerm } from './term-writes.ts';

/** Compare-and-set may lose against a runner's last words; then there is something new to decide on. */
const MOST_TRIES = 10;

export interface ReaperParts extends LoopParts {
  readonly mandate: Mandate;
  readonly health: HealthWatch;
}

export class Reaper {
  readonly #parts: ReaperParts;
  readonly #index: ClusterIndex;
  #memory: LivenessMemory = NOTHING_SEEN;
  #silent: ReadonlySet<string> = new Set();

  constructor(parts: ReaperParts, index: ClusterIndex) {
    this.#parts = parts;
    this.#index = index;
  }

  /**
   * Workers that are up by the record, but whose lease is not there now: lost, restarting, or registered by hand
   * and never started. They keep what they have until they are called down, and get nothing new.
   */
  get silent(): ReadonlySet<string> {
    return this.#silent;
  }

  /** Looks once. True when a worker changed. Throws what store and queue throw. */
  async look(): Promise<boolean> {
    const { presence, clock, workerLeaseMs, log } = this.#parts;
    const askedAt = clock.monotonic();
    const found = await presence.present();
    const present = new Map(found.map(({ workerId, ageMs }) => [workerId, ageMs]));
    const look = { askedAt, answeredAt: clock.monotonic(), present };
    const { ledger } = this.#index;
    const unknown = [...present.keys()].filter((id) => !ledger.worker(id));
    await this.reload(unknown);
    const { up, down, memory } = judgeLiveness(ledger.workers(), look, this.#memory, workerLeaseMs);
    this.#memory = memory;
    const healthChanged = this.#parts.health.hear(found, look.answeredAt);
    const silentBefore = this.#silent;
    this.#silent = new Set(
      [...memory.sights].flatMap(([id, sight]) => (sight.absentSince === null ? [] : [id])),
    );
    for (const id of up) {
      log.info({ workerId: id }, 'worker is back');
      await this.#setLiveness(id, 'up');
    }
    for (const id of down) {
      log.warn({ workerId: id }, 'worker is down: its lease is gone');
      await this.#setLiveness(id, 'down');
      await this.#bury(id, `worker ${id} was lost: no heartbeat for ${workerLeaseMs / 1000} s`);
    }
    return (
      healthChanged ||
      up.length > 0 ||
      down.length > 0 ||
      unknown.some((id) => ledger.worker(id) !== null) ||
      [...silentBefore].some((id) => !this.#silent.has(id))
    );
  }

  /** Reads workers again. One that was removed loses its tasks. */
  async reload(ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      const worker = await this.#parts.store.workers.get(id);
      if (worker) this.#index.ledger.setWorker(worker);
      else {
        const wasThere = this.#index.ledger.worker(id) !== null;
        this.#index.ledger.dropWorker(id);
        if (wasThere || this.#index.ledger.holdingsOf(id).length > 0) {
          await this.#bury(id, `worker ${id} was removed from the cluster`);
        }
      }
    }
  }

  /** Reads all workers again. */
  async reloadAll(): Promise<void> {
    const { ledger } = this.#index;
    const there = await this.#parts.store.workers.list();
    for (const worker of there) ledger.setWorker(worker);
    const ids = new Set(there.map(({ id }) => id));
    await this.reload(
      ledger
        .workers()
        .map(({ id }) => id)
        .filter((id) => !ids.has(id)),
    );
  }

  /**
   * Takes attempts back; tasks go to the queue, or end when they were to be cancelled or were lost too often. Throws
   * `Deposed` when the mandate has ended or the store refuses the term, and what the store throws.
   */
  async takeBack(holdings: readonly Holding[], message: string): Promise<void> {
    for (let at = 0; at < holdings.length; at += READ_BATCH) {
      const moved = await this.#takeBackBatch(holdings.slice(at, at + READ_BATCH), message);
      if (moved.length === 0) continue;
      this.#parts.log.info({ tasks: moved.length, why: message }, 'took tasks back');
      await announceMoved(this.#parts, moved);
    }
  }

  async #takeBackBatch(holdings: readonly Holding[], message: string): Promise<readonly Task[]> {
    const { store, clock, mandate, random } = this.#parts;
    const byId = new Map(holdings.map((one) => [one.taskId, one]));
    let known: readonly Task[] = await store.tasks.getMany([...byId.keys()]);
    const there = new Set(known.map(({ id }) => id));
    for (const id of byId.keys()) if (!there.has(id)) this.#index.forget(id);
    const moved: Task[] = [];
    for (let tries = 0; known.length > 0 && tries < MOST_TRIES; tries += 1) {
      const now = clock.now();
      const next: Task[] = [];
      for (const task of known) {
        const { attempt, workerId } = byId.get(task.id) as Holding;
        const step = takeBackTask(task, { attempt, workerId, now, message, dice: random() });
        if (step.ok) next.push(step.task);
        else this.#index.learn(task, now);
      }
      const { written, refused } = await writeUnderTerm(this.#parts, next, mandate);
      for (const task of written) this.#index.learn(task, now);
      moved.push(...written);
      known = refused;
    }
    return moved;
  }

  async #bury(workerId: string, message: string): Promise<void> {
    const { store, deliveries, log } = this.#parts;
    await this.takeBack(await store.tasks.allocations(workerId), message);
    try {
      await deliveries.clear(workerId);
    } catch (error) {
      // What waits there is refused by attempt when the worker comes back.
      log.warn({ workerId, fault: messageOf(error) }, 'could not clear the queue of a lost worker');
    }
  }

  async #setLiveness(id: string, liveness: Liveness): Promise<void> {
    const { store, bus, clock } = this.#parts;
    const worker = await store.workers.setLiveness(id, liveness, clock.now());
    if (!worker) {
      this.#index.ledger.dropWorker(id);
      return;
    }
    this.#index.ledger.setWorker(worker);
    await bus.publish({ type: 'worker', workerId: id });
  }
}
