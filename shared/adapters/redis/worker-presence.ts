// Who lives: a lease per worker, renewed by its heartbeat. Ages come from what is left of the lease by Redis's
// own clock, so that no two machines' clocks are ever compared.

import type { Redis } from 'ioredis';
import { messageOf } from '../../errors.ts';
import { NO_USAGE } from '../../model/worker.ts';
import { readTroubles } from '../../model/worker-health.ts';
import type { BeatAnswer, Heartbeat, PresentWorker, WorkerPresence } from '../../ports/coordination.ts';
import type { RedisConnection } from './connection.ts';

// KEYS: lease of the worker, index. ARGV: worker id, identity, incarnation, lease in ms, first (1 or 0), heartbeat.
//
//   no lease ──────────────► ok        same identity, same incarnation ────────► ok
//   other identity ────────► taken     same identity, other incarnation, first ─► ok
//                                      same identity, other incarnation ────────► superseded
const BEAT = `
local owner = redis.call('HMGET', KEYS[1], 'identity', 'incarnation')
if owner[1] and owner[1] ~= ARGV[2] then return 'taken' end
if owner[2] and owner[2] ~= ARGV[3] and ARGV[5] ~= '1' then return 'superseded' end
redis.call('HSET', KEYS[1], 'identity', ARGV[2], 'incarnation', ARGV[3], 'lease', ARGV[4], 'beat', ARGV[6])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('SADD', KEYS[2], ARGV[1])
return 'ok'`;

// KEYS: index. ARGV: start of the leases' keys. Drops from the index what has expired.
const PRESENT = `
local found = {}
for _, id in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  local key = ARGV[1] .. id
  local left = redis.call('PTTL', key)
  if left < 0 then
    redis.call('SREM', KEYS[1], id)
  else
    local lease = redis.call('HMGET', key, 'beat', 'lease')
    found[#found + 1] = { lease[1], tonumber(lease[2]) - left }
  end
end
return found`;

// KEYS: lease of the worker. ARGV: incarnation, lease in ms.
const EXTEND = `
if redis.call('HGET', KEYS[1], 'incarnation') ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])`;

// KEYS: lease of the worker, index. ARGV: worker id, incarnation.
const LEAVE = `
if redis.call('HGET', KEYS[1], 'incarnation') ~= ARGV[2] then return 0 end
redis.call('SREM', KEYS[2], ARGV[1])
return redis.call('DEL', KEYS[1])`;

type PresenceClient = Redis & {
  beatWorker(lease: string, index: string, ...args: (string | number)[]): Promise<BeatAnswer>;
  extendWorker(lease: string, incarnation: string, leaseMs: number): Promise<number>;
  presentWorkers(index: string, start: string): Promise<[beat: string, ageMs: number][]>;
  leaveWorker(lease: string, index: string, workerId: string, incarnation: string): Promise<number>;
};

export class RedisWorkerPresence implements WorkerPresence {
  readonly #connection: RedisConnection;
  readonly #client: PresenceClient;
  readonly #index: string;

  constructor(connection: RedisConnection) {
    this.#connection = connection;
    this.#index = `${connection.prefix}:presence`;
    connection.client.defineCommand('beatWorker', { numberOfKeys: 2, lua: BEAT });
    connection.client.defineCommand('extendWorker', { numberOfKeys: 1, lua: EXTEND });
    connection.client.defineCommand('presentWorkers', { numberOfKeys: 1, lua: PRESENT });
    connection.client.defineCommand('leaveWorker', { numberOfKeys: 2, lua: LEAVE });
    this.#client = connection.client as PresenceClient;
  }

  async beat(heartbeat: Heartbeat, leaseMs: number, first: boolean): Promise<BeatAnswer> {
    const { workerId, identity, incarnation } = heartbeat;
    return this.#connection.run('send a heartbeat', () =>
      this.#client.beatWorker(
        this.#leaseKey(workerId),
        this.#index,
        workerId,
        identity,
        incarnation,
        Math.ceil(leaseMs),
        first ? 1 : 0,
        JSON.stringify(heartbeat),
      ),
    );
  }

  async extend(workerId: string, incarnation: string, leaseMs: number): Promise<boolean> {
    const extended = await this.#connection.run('extend a lease', () =>
      this.#client.extendWorker(this.#leaseKey(workerId), incarnation, Math.ceil(leaseMs)),
    );
    return extended === 1;
  }

  async present(): Promise<PresentWorker[]> {
    const found = await this.#connection.run('read the heartbeats', () =>
      this.#client.presentWorkers(this.#index, this.#leaseKey('')),
    );
    return found.flatMap(([beat, ageMs]) => {
      const heartbeat = this.#parse(beat);
      return heartbeat ? [{ ...heartbeat, ageMs: Math.max(0, ageMs) }] : [];
    });
  }

  async leave(workerId: string, incarnation: string): Promise<void> {
    await this.#connection.run('end a heartbeat', () =>
      this.#client.leaveWorker(this.#leaseKey(workerId), this.#index, workerId, incarnation),
    );
  }

  #leaseKey(workerId: string): string {
    return `${this.#index}:${workerId}`;
  }

  #parse(beat: string): Heartbeat | null {
    try {
      const heartbeat = JSON.parse(beat) as Heartbeat;
      // Runners of earlier releases measure and tell less.
      return {
        ...heartbeat,
        usage: { ...NO_USAGE, ...heartbeat.usage },
        troubles: readTroubles(heartbeat.troubles),
      };
    } catch (error) {
      this.#connection.log.warn({ fault: messageOf(error) }, 'dropped a heartbeat that is not JSON');
      return null;
    }
  }
}
