// Tells handlers which tasks were just queued, by any process. One blocking connection, open while somebody
// listens. Never the truth: events may be trimmed or lost.

import { type Queue, QueueEvents } from 'bullmq';
import type { RedisConnection } from './connection.ts';
import { FaultLog } from './fault-log.ts';
import { INTAKE_QUEUE } from './queue-handle.ts';
import { within } from './within.ts';

type Handler = (taskIds: readonly string[]) => void;

export class AddedEvents {
  readonly #connection: RedisConnection;
  readonly #queue: Queue;
  readonly #faults: FaultLog;
  readonly #handlers = new Set<Handler>();
  /** Opening and closing follow one another, however calls interleave. */
  #turn: Promise<void> = Promise.resolve();
  #events: QueueEvents | null = null;
  #pending: string[] = [];

  constructor(connection: RedisConnection, queue: Queue) {
    this.#connection = connection;
    this.#queue = queue;
    this.#faults = new FaultLog(connection.log, 'cannot follow the intake queue');
  }

  /** Succeeds when Redis is away, too: events come when it is back. */
  async subscribe(handler: Handler): Promise<() => Promise<void>> {
    // A wrapper of its own, so that one function may subscribe twice.
    const own: Handler = (ids) => handler(ids);
    this.#handlers.add(own);
    await this.#adjust();
    return async () => {
      this.#handlers.delete(own);
      await this.#adjust();
    };
  }

  async close(): Promise<void> {
    this.#handlers.clear();
    await this.#adjust();
  }

  #adjust(): Promise<void> {
    this.#turn = this.#turn.then(async () => {
      if (this.#handlers.size > 0 && !this.#events) this.#events = await this.#open();
      if (this.#handlers.size === 0 && this.#events) {
        const events = this.#events;
        this.#events = null;
        await within(2_000, events.close()).catch((error: unknown) => this.#faults.report(error));
      }
    });
    return this.#turn;
  }

  async #open(): Promise<QueueEvents> {
    const events = new QueueEvents(INTAKE_QUEUE, {
      connection: this.#connection.blocking(),
      prefix: this.#connection.prefix,
      // From the newest event of now on: "$" would be taken anew by each read until the first event came.
      lastEventId: await this.#lastEventId(),
      skipVersionCheck: true,
      skipWaitingForReady: true,
    });
    events.on('error', (error) => this.#faults.report(error));
    events.on('added', ({ jobId }) => this.#collect(jobId));
    return events;
  }

  async #lastEventId(): Promise<string> {
    try {
      const newest = await this.#connection.run('follow the intake queue', (client) =>
        client.xrevrange(this.#queue.toKey('events'), '+', '-', 'COUNT', 1),
      );
      return newest[0]?.[0] ?? '0';
    } catch (error) {
      this.#faults.report(error);
      return '$';
    }
  }

  /** Events of one read arrive one by one in the same tick: hand them over together. */
  #collect(taskId: string): void {
    this.#pending.push(taskId);
    if (this.#pending.length > 1) return;
    setImmediate(() => {
      const ids = this.#pending;
      this.#pending = [];
      for (const handler of [...this.#handlers]) {
        try {
          handler(ids);
        } catch (error) {
          this.#connection.log.error({ err: error }, 'a listener of the intake queue failed');
        }
      }
    });
  }
}
