// What time it is by Redis: the one clock that every process of a cluster can ask.

import type { TimeSource } from '../../ports/clock.ts';
import type { RedisConnection } from './connection.ts';

export class RedisTimeSource implements TimeSource {
  readonly #connection: RedisConnection;

  constructor(connection: RedisConnection) {
    this.#connection = connection;
  }

  async read(): Promise<number> {
    const [seconds, micros] = await this.#connection.run('tell the time', (client) => client.time());
    return Number(seconds) * 1_000 + Number(micros) / 1_000;
  }
}
