// Who leads: one key with a time to live. It only keeps a second leader from working for nothing; what makes a
// stale one harmless is the term in the store.

import type { Redis } from 'ioredis';
import type { LeaderLease } from '../../ports/coordination.ts';
import type { RedisConnection } from './connection.ts';

const HOLD = `
local held = redis.call('GET', KEYS[1])
if held and held ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1`;

const RELEASE = `
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`;

type LeaseClient = Redis & {
  holdLease(key: string, holder: string, ttlMs: number): Promise<number>;
  releaseLease(key: string, holder: string): Promise<number>;
};

export class RedisLeaderLease implements LeaderLease {
  readonly #connection: RedisConnection;
  readonly #client: LeaseClient;
  readonly #key: string;

  constructor(connection: RedisConnection) {
    this.#connection = connection;
    this.#key = `${connection.prefix}:leader`;
    connection.client.defineCommand('holdLease', { numberOfKeys: 1, lua: HOLD });
    connection.client.defineCommand('releaseLease', { numberOfKeys: 1, lua: RELEASE });
    this.#client = connection.client as LeaseClient;
  }

  async hold(holder: string, ttlMs: number): Promise<boolean> {
    const held = await this.#connection.run('hold the lease of the leader', () =>
      this.#client.holdLease(this.#key, holder, Math.ceil(ttlMs)),
    );
    return held === 1;
  }

  async release(holder: string): Promise<void> {
    await this.#connection.run('release the lease of the leader', () =>
      this.#client.releaseLease(this.#key, holder),
    );
  }

  async holder(): Promise<string | null> {
    return this.#connection.run('read the lease of the leader', (client) => client.get(this.#key));
  }
}
