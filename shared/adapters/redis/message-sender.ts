// Messages to whoever listens now: sent over the one connection, dropped when that cannot be done at once. Never
// throws, never rejects, never lets messages pile up.

import type { RedisConnection } from './connection.ts';
import { FaultLog } from './fault-log.ts';

/** Messages and bytes under way to a Redis that is slow to answer; what comes beyond that is dropped. */
const MAX_UNDER_WAY = 1_000;
const MAX_BYTES_UNDER_WAY = 8 * 2 ** 20;

export class MessageSender {
  readonly #connection: RedisConnection;
  readonly #faults: FaultLog;
  #underWay = 0;
  #bytesUnderWay = 0;

  constructor(connection: RedisConnection) {
    this.#connection = connection;
    this.#faults = new FaultLog(connection.log, 'messages to watchers were dropped');
  }

  get isReady(): boolean {
    return this.#connection.isReady && this.#underWay < MAX_UNDER_WAY;
  }

  send(channel: string, message: string | Uint8Array): void {
    const bytes = message.length;
    if (!this.isReady || this.#bytesUnderWay + bytes > MAX_BYTES_UNDER_WAY) {
      this.#faults.report('Redis is away or slow', { channel });
      return;
    }
    this.#underWay += 1;
    this.#bytesUnderWay += bytes;
    const body = typeof message === 'string' ? message : Buffer.from(message);
    this.#connection
      .run('send a message', (client) => client.publish(channel, body), { waitMs: 0 })
      .catch((error: unknown) => this.#faults.report(error, { channel }))
      .finally(() => {
        this.#underWay -= 1;
        this.#bytesUnderWay -= bytes;
      });
  }
}
