// The cluster's intake: what waits to be placed, most urgent first. Holds ids and shapes, never a task.

import type { Queue } from 'bullmq';
import type { IntakeEntry, IntakeQueue } from '../../ports/queue.ts';
import { AddedEvents } from './added-events.ts';
import type { RedisConnection } from './connection.ts';
import { batches, INTAKE_QUEUE, openQueue } from './queue-handle.ts';

/** BullMQ ranks 1 first and keeps only ranked entries (≥ 1) removable in O(log n). */
function rankOf(priority: number): number {
  return Math.min(10, Math.max(1, 10 - Math.trunc(priority)));
}

export class RedisIntakeQueue implements IntakeQueue {
  readonly #connection: RedisConnection;
  readonly #queue: Queue;
  readonly #added: AddedEvents;

  constructor(connection: RedisConnection) {
    this.#connection = connection;
    this.#queue = openQueue(connection, INTAKE_QUEUE);
    this.#added = new AddedEvents(connection, this.#queue);
  }

  async add(entries: readonly IntakeEntry[]): Promise<void> {
    for (const batch of batches(entries)) {
      const jobs = batch.map(({ taskId, priority, shape }) => ({
        name: shape,
        data: {},
        opts: { jobId: taskId, priority: rankOf(priority) },
      }));
      await this.#connection.run('queue tasks', () => this.#queue.addBulk(jobs));
    }
  }

  async remove(taskIds: readonly string[]): Promise<void> {
    for (const batch of batches(taskIds)) {
      await this.#connection.run('take tasks from the queue', () => {
        this.#connection.sendTogether();
        return Promise.all(batch.map((id) => this.#queue.remove(id, { removeChildren: false })));
      });
    }
  }

  async onAdded(handler: (taskIds: readonly string[]) => void): Promise<() => Promise<void>> {
    return this.#added.subscribe(handler);
  }

  async page(offset: number, limit: number): Promise<string[]> {
    if (limit <= 0) return [];
    const [ids] = await this.#connection.run('read the queue', () =>
      this.#queue.getBackend().getRanges(['prioritized'], offset, offset + limit - 1, true),
    );
    return ids ?? [];
  }

  async size(): Promise<number> {
    return this.#connection.run('count the queue', () => this.#queue.getPrioritizedCount());
  }

  async close(): Promise<void> {
    await this.#added.close();
    await this.#queue.close();
  }
}
