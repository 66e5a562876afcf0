// Drops what watchers of a task are shown beside its record: new lines, progress, use. Nobody may depend on it: all of
// that ends by itself within a day.

import { messageOf } from '../../errors.ts';
import type { LiveTraces, TaskAttempts } from '../../ports/live.ts';
import type { RedisConnection } from './connection.ts';
import { liveLogKey } from './live-logs.ts';
import { progressKey } from './progress-board.ts';
import { batches } from './queue-handle.ts';
import { usageKey } from './usage-board.ts';

export class RedisLiveTraces implements LiveTraces {
  readonly #connection: RedisConnection;

  constructor(connection: RedisConnection) {
    this.#connection = connection;
  }

  async forget(tasks: readonly TaskAttempts[]): Promise<void> {
    try {
      for (const keys of batches(tasks.flatMap((task) => this.#keysOf(task)))) {
        await this.#connection.run('forget ended tasks', (client) => client.unlink(...keys), { waitMs: 0 });
      }
    } catch (error) {
      this.#connection.log.debug(
        { fault: messageOf(error) },
        'traces of ended tasks were left to end by themselves',
      );
    }
  }

  #keysOf({ taskId, attempts }: TaskAttempts): string[] {
    const numbers = Array.from({ length: attempts }, (_, n) => n + 1);
    return [
      progressKey(this.#connection, taskId),
      ...numbers.map((attempt) => usageKey(this.#connection, taskId, attempt)),
      ...numbers.map((attempt) => liveLogKey(this.#connection, taskId, attempt)),
    ];
  }
}
