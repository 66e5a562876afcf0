// Ends tasks that have waited in the queue for longer than they may. It looks at what is due alone, a bounded number at
// a time, and writes over the revision it decided on: what was placed or cancelled at the same moment stays that.

import { messageOf } from '../shared/errors.ts';
import { taskChanged } from '../shared/model/event.ts';
import type { Task } from '../shared/model/task.ts';
import { expireTask } from '../shared/model/task-life.ts';
import { type ClusterIndex, READ_BATCH } from './cluster-index.ts';
import { waitedForWords } from './core/expiry-words.ts';
import type { WaitReason } from './core/snapshot.ts';
import type { LoopParts, Mandate } from './parts.ts';
import { writeUnderTerm } from './term-writes.ts';

export interface ExpiryParts extends Pick<LoopParts, 'store' | 'intake' | 'bus' | 'clock' | 'log'> {
  readonly mandate: Mandate;
  readonly index: ClusterIndex;
  /** Why tasks of a line waited, by the last pass; undefined when it did not say. */
  readonly reasonOf: (groupKey: string) => WaitReason | undefined;
}

export class Expiry {
  readonly #parts: ExpiryParts;
  #expired = 0;

  constructor(parts: ExpiryParts) {
    this.#parts = parts;
  }

  /** Tasks ended so in this term. */
  get expired(): number {
    return this.#expired;
  }

  /** In milliseconds; infinite when no wait has an end. Below zero when it is over. */
  nextIn(): number {
    const at = this.#parts.index.backlog.nextExpiryAt();
    return at === null ? Number.POSITIVE_INFINITY : at - this.#parts.clock.now();
  }

  /**
   * Ends at most one batch. True when there may be more. Throws `Deposed` when the mandate has ended or the store
   * refuses the term, and what the store throws: what was due is still due then.
   */
  async round(): Promise<boolean> {
    const { index, clock, mandate, log } = this.#parts;
    const now = clock.now();
    // All at once: what this round does not come to must not be placed in the pass that follows.
    index.backlog.withdraw(now);
    const due = index.backlog.overdue(READ_BATCH);
    if (due.length === 0) return false;
    const records = await index.records(due.map(({ id }) => id));
    const next: Task[] = [];
    for (const { id, groupKey } of due) {
      const task = records.get(id);
      if (!task) {
        index.forget(id);
        continue;
      }
      const reason = this.#parts.reasonOf(groupKey);
      const waitedFor = reason === undefined ? null : waitedForWords(reason, task.spec.worker);
      const step = expireTask(task, { now, waitedFor });
      if (step.ok) next.push(step.task);
      else this.#relearn(task, now);
    }
    const { written, refused } = await writeUnderTerm(this.#parts, next, mandate);
    for (const task of [...written, ...refused]) index.learn(task, now);
    const known = new Set([...written, ...refused].map(({ id }) => id));
    for (const { id } of next) if (!known.has(id)) index.forget(id);
    if (written.length > 0) {
      this.#expired += written.length;
      log.info({ tasks: written.length }, 'waited for too long');
      await this.#announce(written);
    }
    return due.length === READ_BATCH;
  }

  /** What the index knew of it was old. */
  #relearn(task: Task, now: number): void {
    this.#parts.index.backlog.remove(task.id);
    this.#parts.index.learn(task, now);
  }

  /** What does not get through is made good by reconcile. */
  async #announce(ended: readonly Task[]): Promise<void> {
    const { intake, bus, log } = this.#parts;
    try {
      await Promise.all([intake.remove(ended.map(({ id }) => id)), bus.publishMany(ended.map(taskChanged))]);
    } catch (error) {
      log.warn(
        { fault: messageOf(error), tasks: ended.length },
        'could not tell of tasks that waited for too long',
      );
    }
  }
}
