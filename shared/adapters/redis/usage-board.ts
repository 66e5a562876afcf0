// What running attempts used so far, each for an hour after it was last noted: the record has it once they have ended.

import { messageOf } from '../../errors.ts';
import type { UsageSeries } from '../../model/usage-series.ts';
import type { UsageBoard } from '../../ports/live.ts';
import type { RedisConnection } from './connection.ts';
import { FaultLog } from './fault-log.ts';

const KEPT_MS = 3_600_000;

export function usageKey({ prefix }: RedisConnection, taskId: string, attempt: number): string {
  return `${prefix}:usage:${taskId}:${attempt}`;
}

export class RedisUsageBoard implements UsageBoard {
  readonly #connection: RedisConnection;
  readonly #malformed: FaultLog;

  constructor(connection: RedisConnection) {
    this.#connection = connection;
    this.#malformed = new FaultLog(connection.log, 'dropped usage that cannot be read');
  }

  async set(taskId: string, attempt: number, series: UsageSeries): Promise<void> {
    try {
      const key = this.#key(taskId, attempt);
      const body = JSON.stringify(series);
      await this.#connection.run('note usage', (client) => client.set(key, body, 'PX', KEPT_MS), {
        waitMs: 0,
      });
    } catch (error) {
      this.#connection.log.debug({ taskId, fault: messageOf(error) }, 'usage was not noted');
    }
  }

  /** @throws AppError `queue_unavailable` */
  async get(taskId: string, attempt: number): Promise<UsageSeries | null> {
    const key = this.#key(taskId, attempt);
    const body = await this.#connection.run('read usage', (client) => client.get(key), { waitMs: 0 });
    if (body === null) return null;
    try {
      return JSON.parse(body) as UsageSeries;
    } catch (error) {
      this.#malformed.report(error);
      return null;
    }
  }

  #key(taskId: string, attempt: number): string {
    return usageKey(this.#connection, taskId, attempt);
  }
}
