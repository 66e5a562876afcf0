// Several tasks inserted all or none on a server without transactions. Nothing may read a task in state `hidden`.
//
//   record `open` ──► tasks, hidden ──► record `committed` ──► tasks shown ──► record removed
//         │                                   ▲
//         └──► record `given_up` ──► hidden tasks removed ──► record removed
//
// The one write that decides is the record's step from `open` to `committed`, a compare-and-set. A writer that
// dies before it leaves hidden tasks, which hold their idempotency keys but are seen by no list, count or read;
// one that dies after it leaves tasks that are still to be shown. `settle` finishes either: it runs whenever a
// store is opened, a leader takes its term, or another submission meets a key of a hidden task. A batch that is
// only slow may be given up while its writer works; then the writer's own step fails and it says so to its
// caller. The record comes before its tasks and goes after the last is shown, so a hidden task without a record
// belongs to a batch that was given up. Between `committed` and the end, readers may see part of the batch; a
// caller whose insert returned sees all of it.

import { randomUUID } from 'node:crypto';
import { TASK_STATES, type Task } from '../../model/task.ts';
import type { Collections } from './collections.ts';
import { unavailable } from './errors.ts';
import { documentOf } from './task-document.ts';

/** An open batch this old has lost its writer: inserting a thousand tasks takes a second. */
const ABANDONED_MS = 60_000;

export class TaskBatches {
  readonly #tasks: Collections['tasks'];
  readonly #batches: Collections['batches'];

  constructor({ tasks, batches }: Pick<Collections, 'tasks' | 'batches'>) {
    this.#tasks = tasks;
    this.#batches = batches;
  }

  /** Inserts all or none. Throws the server's duplicate key error when an id or an idempotency key is taken. */
  async insert(tasks: readonly Task[]): Promise<void> {
    const batch = randomUUID();
    // Always in the same order: of two batches that share keys, one meets the other's lowest and gives way.
    const documents = tasks
      .map((task) => ({ ...documentOf(task), state: 'hidden' as const, batch, shows: task.state }))
      .sort((a, b) => (a.submission < b.submission ? -1 : 1));
    await this.#batches.insertOne({ _id: batch, state: 'open', at: Date.now() });
    try {
      await this.#tasks.insertMany(documents, { ordered: true });
    } catch (error) {
      // When the server is away this fails as well, and what is left is given up later.
      await this.#giveUp(batch).catch(() => undefined);
      throw error;
    }
    const step = await this.#batches.updateOne(
      { _id: batch, state: 'open' },
      { $set: { state: 'committed' } },
    );
    if (step.matchedCount === 0) {
      await this.#removeHidden(batch);
      throw unavailable('the batch took too long and was given up; submit it again');
    }
    await this.#show(batch);
  }

  /** Finishes what dead writers left. Harmless at any time, by any number of processes. */
  async settle(): Promise<void> {
    for (const { _id, state, at } of await this.#batches.find().toArray()) {
      if (state === 'committed') await this.#show(_id);
      else if (state === 'given_up' || at < Date.now() - ABANDONED_MS) await this.#giveUp(_id);
    }
    await this.#removeOrphans();
  }

  /** True when the batch is still on its way in; otherwise its tasks are shown or gone. */
  async isUnderWay(batch: string): Promise<boolean> {
    await this.settle();
    return (await this.#batches.findOne({ _id: batch })) !== null;
  }

  async #show(batch: string): Promise<void> {
    for (const state of TASK_STATES) {
      await this.#tasks.updateMany(
        { state: 'hidden', batch, shows: state },
        { $set: { state }, $unset: { batch: '', shows: '' } },
      );
    }
    await this.#batches.deleteOne({ _id: batch });
  }

  async #giveUp(batch: string): Promise<void> {
    const step = await this.#batches.updateOne(
      { _id: batch, state: { $in: ['open', 'given_up'] } },
      { $set: { state: 'given_up' } },
    );
    // Committed in the meantime, or gone.
    if (step.matchedCount === 0) return;
    await this.#removeHidden(batch);
    await this.#batches.deleteOne({ _id: batch });
  }

  /** Hidden tasks that a slow writer added after its batch was given up. */
  async #removeOrphans(): Promise<void> {
    const hidden = await this.#tasks.distinct('batch', { state: 'hidden' });
    for (const batch of hidden) {
      if (batch === undefined || (await this.#batches.findOne({ _id: batch })) !== null) continue;
      await this.#removeHidden(batch);
    }
  }

  async #removeHidden(batch: string): Promise<void> {
    await this.#tasks.deleteMany({ state: 'hidden', batch });
  }
}
