// Opens BullMQ queues on the shared connection. A handle costs no connection and no command until it is used.

import { Queue } from 'bullmq';
import type { RedisConnection } from './connection.ts';

/** Names of queues, as Bull Board shows them. */
export const INTAKE_QUEUE = 'intake';

export function workerQueueName(workerId: string): string {
  return `worker-${workerId}`;
}

/** Nothing of an entry is needed once it is done: the store is the record. Retries are decided elsewhere. */
const JOB_DEFAULTS = { removeOnComplete: true, removeOnFail: true, attempts: 1 } as const;

/** What Redis takes in one go without making others wait. */
const BATCH = 1_000;

export function openQueue(connection: RedisConnection, name: string): Queue {
  const queue = new Queue(name, {
    connection: connection.client,
    prefix: connection.prefix,
    defaultJobOptions: JOB_DEFAULTS,
    // The connection checks the server itself; waiting for it here would tie the handle to this moment.
    skipVersionCheck: true,
    skipWaitingForReady: true,
    skipMetasUpdate: true,
  });
  // Faults of the connection are logged by it, once, and not by each of a thousand handles.
  queue.on('error', () => undefined);
  return queue;
}

export function* batches<T>(items: readonly T[], size = BATCH): Generator<readonly T[]> {
  for (let from = 0; from < items.length; from += size) yield items.slice(from, from + size);
}
