// One life of a worker on its queue. A delivery leaves the queue only when its handler has resolved, and one
// delivery is never handled twice at the same time by this process, whatever happens to its lock in Redis.

import { setTimeout as delay } from 'node:timers/promises';
import { type Job, type Queue, Worker } from 'bullmq';
import type { Delivery, InboxSession } from '../../ports/queue.ts';
import type { RedisConnection } from './connection.ts';
import type { DeliveryJob } from './delivery-queue.ts';
import { FaultLog } from './fault-log.ts';
import { openQueue, workerQueueName } from './queue-handle.ts';
import { within } from './within.ts';

/** What waits here was placed because it fits; how much runs at a time is the runner's to say. */
const AT_A_TIME = 10_000;

/** Tasks run for days: a lock must outlive any short outage. Renewed at half of it. */
const LOCK_MS = 5 * 60_000;

/** Wait of the idle worker for the next delivery; one that arrives ends it at once. */
const IDLE_SECONDS = 5;

const RETRY_MS = { first: 500, longest: 30_000 } as const;
const CLOSE_MS = 2_000;

/** The token that BullMQ takes for "whoever holds the lock". */
const ANY_HOLDER = '0';

interface SessionOptions {
  readonly workerId: string;
  readonly handler: (delivery: Delivery) => Promise<void>;
  readonly sweepMs: number;
  readonly onClosed: () => void;
}

export class RedisInboxSession implements InboxSession {
  readonly #connection: RedisConnection;
  readonly #workerId: string;
  readonly #options: SessionOptions;
  readonly #faults: FaultLog;
  readonly #queue: Queue;
  /** By id of the delivery, each with the promise that every further copy of it shares. */
  readonly #inWork = new Map<string, Promise<void>>();
  readonly #closing = new AbortController();
  #worker: Worker | null = null;
  #sweeper: NodeJS.Timeout | null = null;
  #closed: Promise<void> | null = null;

  constructor(connection: RedisConnection, options: SessionOptions) {
    this.#connection = connection;
    this.#workerId = options.workerId;
    this.#options = options;
    this.#faults = new FaultLog(connection.log, 'fault in the inbox');
    this.#queue = openQueue(connection, workerQueueName(options.workerId));
  }

  async start(): Promise<void> {
    await this.#liftStop();
    await this.#putBackActive();
    const worker = new Worker(this.#queue.name, (job) => this.#process(job), {
      connection: this.#connection.blocking(),
      prefix: this.#connection.prefix,
      autorun: false,
      concurrency: AT_A_TIME,
      lockDuration: LOCK_MS,
      drainDelay: IDLE_SECONDS,
      runRetryDelay: 1_000,
      // Its own check would count a lost lock against the delivery and fail it; #sweep does not.
      skipStalledCheck: true,
      stalledInterval: this.#options.sweepMs,
      maxStalledCount: Number.MAX_SAFE_INTEGER,
      skipVersionCheck: true,
      skipWaitingForReady: true,
    });
    worker.on('error', (error) => this.#report(error));
    worker.on('failed', (job, error) => this.#report(error, job?.id));
    this.#worker = worker;
    void worker.run().catch((error: unknown) => this.#report(error));
    this.#sweeper = setInterval(() => void this.#sweep(), this.#options.sweepMs);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#closing.abort();
    if (this.#sweeper) clearInterval(this.#sweeper);
    try {
      // By force: handlers may run for days, and what they have in work is to stay in the queue.
      if (this.#worker) await within(CLOSE_MS, this.#worker.close(true));
    } catch (error) {
      this.#report(error);
    }
    await this.#queue.close();
    this.#options.onClosed();
  }

  #process(job: Job<DeliveryJob>): Promise<void> {
    const id = job.id ?? `${job.data.taskId}-${job.data.attempt}`;
    const running = this.#inWork.get(id);
    if (running) return running;
    const work = this.#handle(id, {
      workerId: this.#workerId,
      taskId: job.data.taskId,
      attempt: job.data.attempt,
    }).finally(() => this.#inWork.delete(id));
    this.#inWork.set(id, work);
    return work;
  }

  /** Until the handler resolves, the delivery is dropped, or the session closes (then never: it stays undone). */
  async #handle(id: string, delivery: Delivery): Promise<void> {
    for (let waitMs: number = RETRY_MS.first; ; waitMs = Math.min(waitMs * 2, RETRY_MS.longest)) {
      try {
        return await this.#options.handler(delivery);
      } catch (error) {
        this.#connection.log.error(
          { err: error, ...delivery, waitMs },
          'a delivery failed and is tried again',
        );
      }
      try {
        await delay(waitMs, undefined, { signal: this.#closing.signal });
      } catch {
        return new Promise<never>(() => undefined);
      }
      if (await this.#isDropped(id)) return;
    }
  }

  async #isDropped(id: string): Promise<boolean> {
    try {
      return !(await this.#connection.run('look up a delivery', () =>
        this.#queue.getBackend().isJobInState('active', id),
      ));
    } catch {
      return false;
    }
  }

  /** What an earlier life of the worker had in work waits again, in front. */
  async #putBackActive(): Promise<void> {
    const backend = this.#queue.getBackend();
    const [ids] = await this.#connection.run('read the inbox', () =>
      backend.getRanges(['active'], 0, -1, true),
    );
    for (const id of ids ?? []) {
      await this.#connection.run('put a delivery back', () =>
        backend.moveJobFromActiveToWait(id, ANY_HOLDER),
      );
    }
    if (ids && ids.length > 0) {
      this.#connection.log.info({ workerId: this.#workerId, count: ids.length }, 'took up what was in work');
    }
  }

  async #liftStop(): Promise<void> {
    const stopped = await this.#connection.run('read the inbox', () => this.#queue.isPaused());
    if (stopped) await this.#connection.run('open the inbox', () => this.#queue.resume());
  }

  /**
   * Repairs what an outage in the wrong moment leaves: a stop that was never lifted, and deliveries that count
   * as in work while nobody holds their lock. Those come again; a copy of one that is in work here shares its
   * promise and so gets a lock under which it can be finished.
   */
  async #sweep(): Promise<void> {
    try {
      await this.#liftStop();
      const worker = this.#worker;
      if (worker && !this.#closing.signal.aborted) {
        await this.#connection.run('sweep the inbox', () => worker.getBackend().moveStalledJobsToWait());
      }
    } catch (error) {
      this.#report(error);
    }
  }

  #report(error: unknown, deliveryId?: string): void {
    if (this.#closing.signal.aborted) return;
    this.#faults.report(error, { workerId: this.#workerId, ...(deliveryId ? { deliveryId } : {}) });
  }
}
