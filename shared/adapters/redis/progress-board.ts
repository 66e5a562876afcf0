// The newest progress of each task, for a day. An older attempt that comes late never covers a newer one.

import type { Redis } from 'ioredis';
import { messageOf } from '../../errors.ts';
import type { TaskProgress } from '../../model/progress.ts';
import type { ProgressBoard } from '../../ports/live.ts';
import type { RedisConnection } from './connection.ts';
import { FaultLog } from './fault-log.ts';
import { batches } from './queue-handle.ts';

const KEPT_MS = 86_400_000;
/** Tasks asked for in one round trip. */
const PER_ROUND = 500;

// KEYS: the task. ARGV: attempt, body, time to keep in ms.
const SET = `
local there = tonumber(redis.call('HGET', KEYS[1], 'attempt') or '0')
if there > tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'attempt', ARGV[1], 'body', ARGV[2])
return redis.call('PEXPIRE', KEYS[1], ARGV[3])`;

type BoardClient = Redis & {
  setProgress(key: string, attempt: number, body: string, keptMs: number): Promise<number>;
};

export function progressKey({ prefix }: RedisConnection, taskId: string): string {
  return `${prefix}:progress:${taskId}`;
}

export class RedisProgressBoard implements ProgressBoard {
  readonly #connection: RedisConnection;
  readonly #client: BoardClient;
  readonly #malformed: FaultLog;

  constructor(connection: RedisConnection) {
    this.#connection = connection;
    this.#malformed = new FaultLog(connection.log, 'dropped progress that cannot be read');
    connection.client.defineCommand('setProgress', { numberOfKeys: 1, lua: SET });
    this.#client = connection.client as BoardClient;
  }

  async set(progress: TaskProgress): Promise<void> {
    const { taskId, attempt } = progress;
    try {
      const body = JSON.stringify(progress);
      const send = () => this.#client.setProgress(this.#key(taskId), attempt, body, KEPT_MS);
      await this.#connection.run('note progress', send, { waitMs: 0 });
    } catch (error) {
      this.#connection.log.debug({ taskId, fault: messageOf(error) }, 'progress was not noted');
    }
  }

  /** @throws AppError `queue_unavailable` */
  async get(taskIds: readonly string[]): Promise<TaskProgress[]> {
    const found: TaskProgress[] = [];
    for (const batch of batches(taskIds, PER_ROUND)) {
      const bodies = await this.#connection.run('read progress', async (client) => {
        const round = client.pipeline();
        for (const taskId of batch) round.hget(this.#key(taskId), 'body');
        return ((await round.exec()) ?? []).map(([error, body]) => {
          if (error) throw error;
          return body;
        });
      });
      for (const body of bodies) {
        const progress = typeof body === 'string' ? this.#read(body) : null;
        if (progress) found.push(progress);
      }
    }
    return found;
  }

  #key(taskId: string): string {
    return progressKey(this.#connection, taskId);
  }

  #read(body: string): TaskProgress | null {
    try {
      return JSON.parse(body) as TaskProgress;
    } catch (error) {
      this.#malformed.report(error);
      return null;
    }
  }
}
