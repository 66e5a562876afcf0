// The worker's side of its queue: hands out deliveries and, after a crash, hands them out again.

import type { Delivery, Inbox, InboxSession } from '../../ports/queue.ts';
import type { RedisConnection } from './connection.ts';
import { RedisInboxSession } from './inbox-session.ts';

export class RedisInbox implements Inbox {
  readonly #connection: RedisConnection;
  readonly #sweepMs: number;
  readonly #sessions = new Set<RedisInboxSession>();

  /** `sweepMs`: how often a session looks for what an outage left behind. */
  constructor(connection: RedisConnection, { sweepMs = 30_000 }: { sweepMs?: number } = {}) {
    this.#connection = connection;
    this.#sweepMs = sweepMs;
  }

  /** Throws `queue_unavailable` when what an earlier life left behind cannot be put back now. */
  async open(workerId: string, handler: (delivery: Delivery) => Promise<void>): Promise<InboxSession> {
    const session = new RedisInboxSession(this.#connection, {
      workerId,
      handler,
      sweepMs: this.#sweepMs,
      onClosed: () => this.#sessions.delete(session),
    });
    this.#sessions.add(session);
    try {
      await session.start();
    } catch (error) {
      await session.close();
      throw error;
    }
    return session;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#sessions].map((session) => session.close()));
  }
}
