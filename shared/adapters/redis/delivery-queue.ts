// Sends attempts to the workers, one queue for each. All handles share one connection.

import type { Queue } from 'bullmq';
import type { Delivery, DeliveryQueue } from '../../ports/queue.ts';
import type { RedisConnection } from './connection.ts';
import { batches, openQueue, workerQueueName } from './queue-handle.ts';

/** Events of a worker's queue are for people who look at it; a thousand queues must stay small. */
const KEPT_EVENTS = 1_000;

/** A handle is about a kilobyte; beyond this the least recently used goes. */
const KEPT_HANDLES = 2_000;

const CLEAR_MS = 30_000;

export interface DeliveryJob {
  readonly taskId: string;
  readonly attempt: number;
}

export class RedisDeliveryQueue implements DeliveryQueue {
  readonly #connection: RedisConnection;
  readonly #handles = new Map<string, Queue>();

  constructor(connection: RedisConnection) {
    this.#connection = connection;
  }

  async deliver(deliveries: readonly Delivery[]): Promise<void> {
    const byWorker = new Map<string, Delivery[]>();
    for (const delivery of deliveries) {
      const own = byWorker.get(delivery.workerId);
      if (own) own.push(delivery);
      else byWorker.set(delivery.workerId, [delivery]);
    }
    await Promise.all([...byWorker].map(([workerId, own]) => this.#deliverTo(workerId, own)));
  }

  async clear(workerId: string): Promise<void> {
    const queue = this.#handle(workerId);
    try {
      // Stops deliveries while it removes, and removes the stop with the queue. Should it break off between,
      // the worker's inbox lifts the stop.
      await this.#connection.run(`clear the queue of ${workerId}`, () => queue.obliterate({ force: true }), {
        deadlineMs: CLEAR_MS,
      });
    } finally {
      this.#handles.delete(workerId);
      await queue.close();
    }
  }

  async depth(workerId: string): Promise<number> {
    return this.#connection.run(`count the queue of ${workerId}`, () =>
      this.#handle(workerId).getJobCountByTypes('waiting', 'active', 'delayed', 'prioritized'),
    );
  }

  async close(): Promise<void> {
    const handles = [...this.#handles.values()];
    this.#handles.clear();
    await Promise.all(handles.map((queue) => queue.close()));
  }

  async #deliverTo(workerId: string, deliveries: readonly Delivery[]): Promise<void> {
    for (const batch of batches(deliveries)) {
      const jobs = batch.map(({ taskId, attempt }) => ({
        name: taskId,
        data: { taskId, attempt } satisfies DeliveryJob,
        opts: { jobId: `${taskId}-${attempt}` },
      }));
      await this.#connection.run(`deliver to ${workerId}`, async () => {
        const queue = this.#handle(workerId);
        // With each batch, since whoever clears the queue or empties Redis drops this setting, too.
        const bounded = queue.getBackend().setQueueMeta({ 'opts.maxLenEvents': KEPT_EVENTS });
        await Promise.all([bounded, queue.addBulk(jobs)]);
      });
    }
  }

  #handle(workerId: string): Queue {
    const known = this.#handles.get(workerId);
    if (known) this.#handles.delete(workerId);
    const queue = known ?? openQueue(this.#connection, workerQueueName(workerId));
    this.#handles.set(workerId, queue);
    if (this.#handles.size > KEPT_HANDLES) this.#dropOldest();
    return queue;
  }

  #dropOldest(): void {
    for (const [workerId, queue] of this.#handles) {
      this.#handles.delete(workerId);
      void queue.close();
      return;
    }
  }
}
