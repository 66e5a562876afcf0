// Handles of the queues for a board that shows them. Only reads; what may be done with a queue is not decided here.

import type { QueueView, QueueViews } from '../../ports/queue.ts';
import type { RedisConnection } from './connection.ts';
import { INTAKE_QUEUE, openQueue, workerQueueName } from './queue-handle.ts';

/** A board asks every queue of the cluster at once, with a handful of commands each. */
const READ_MS = 10_000;

export class RedisQueueViews implements QueueViews {
  readonly #connection: RedisConnection;

  constructor(connection: RedisConnection) {
    this.#connection = connection;
  }

  openIntake(): QueueView {
    return this.#open(INTAKE_QUEUE);
  }

  openWorker(workerId: string): QueueView {
    return this.#open(workerQueueName(workerId));
  }

  within<T>(read: () => Promise<T>): Promise<T> {
    return this.#connection.run('show the queues', read, { deadlineMs: READ_MS });
  }

  #open(name: string): QueueView {
    const handle = openQueue(this.#connection, name);
    return { name, handle, close: () => handle.close() };
  }
}
