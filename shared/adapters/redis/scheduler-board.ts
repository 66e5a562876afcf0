// What the leading scheduler tells of itself: one report, gone by itself when nobody leads any more.

import type { SchedulerReport } from '../../model/scheduling.ts';
import type { SchedulerBoard } from '../../ports/scheduler-board.ts';
import type { RedisConnection } from './connection.ts';
import { FaultLog } from './fault-log.ts';

export class RedisSchedulerBoard implements SchedulerBoard {
  readonly #connection: RedisConnection;
  readonly #key: string;
  readonly #malformed: FaultLog;

  constructor(connection: RedisConnection) {
    this.#connection = connection;
    this.#key = `${connection.prefix}:scheduler-report`;
    this.#malformed = new FaultLog(connection.log, 'dropped a report of the scheduler that cannot be read');
  }

  async post(report: SchedulerReport, keptMs: number): Promise<void> {
    const body = JSON.stringify(report);
    await this.#connection.run('tell of the scheduler', (client) =>
      client.set(this.#key, body, 'PX', Math.ceil(keptMs)),
    );
  }

  async read(): Promise<SchedulerReport | null> {
    const body = await this.#connection.run('read the report of the scheduler', (client) =>
      client.get(this.#key),
    );
    if (body === null) return null;
    try {
      return JSON.parse(body) as SchedulerReport;
    } catch (error) {
      this.#malformed.report(error);
      return null;
    }
  }
}
