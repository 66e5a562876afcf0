// Counts failures per key for all processes together; for this process alone while Redis is away. Never throws
// for that.

import { RateLimiterMemory, RateLimiterRedis } from 'rate-limiter-flexible';
import type { AttemptLimiter } from '../../ports/coordination.ts';
import type { RedisConnection } from './connection.ts';
import { FaultLog } from './fault-log.ts';

export interface LimiterOptions {
  /** Keeps the keys of different limiters apart. */
  readonly keyPrefix: string;
  /** So many failures within the window block a key. */
  readonly maxFailures: number;
  /** Length of the window and of the block. */
  readonly windowSeconds: number;
}

type Limiter = Pick<RateLimiterRedis, 'get' | 'penalty' | 'block' | 'delete'>;

export class RedisAttemptLimiter implements AttemptLimiter {
  readonly #maxFailures: number;
  readonly #windowSeconds: number;
  readonly #shared: RateLimiterRedis;
  /** Counts along all the time but is asked only during an outage, which so does not lift a block it knows of. */
  readonly #own: RateLimiterMemory;
  readonly #faults: FaultLog;

  constructor(connection: RedisConnection, options: LimiterOptions) {
    this.#maxFailures = options.maxFailures;
    this.#windowSeconds = options.windowSeconds;
    this.#faults = new FaultLog(connection.log, 'failures are counted by this process alone');
    const limits = { points: options.maxFailures, duration: options.windowSeconds };
    this.#own = new RateLimiterMemory({ keyPrefix: options.keyPrefix, ...limits });
    this.#shared = new RateLimiterRedis({
      storeClient: connection.client,
      keyPrefix: `${connection.prefix}:limit:${options.keyPrefix}`,
      rejectIfRedisNotReady: true,
      ...limits,
    });
  }

  async blockedFor(key: string): Promise<number> {
    const seen = await this.#both((limiter) => limiter.get(key));
    if (!seen || seen.consumedPoints < this.#maxFailures) return 0;
    return Math.max(0, Math.ceil(seen.msBeforeNext / 1_000));
  }

  async fail(key: string): Promise<void> {
    await this.#both(async (limiter) => {
      const { consumedPoints } = await limiter.penalty(key, 1);
      // The block lasts a whole window from the failure that was one too many, not from the first.
      if (consumedPoints === this.#maxFailures) await limiter.block(key, this.#windowSeconds);
    });
  }

  async reset(key: string): Promise<void> {
    await this.#both((limiter) => limiter.delete(key));
  }

  /** What all processes know, or else what this one knows. */
  async #both<T>(step: (limiter: Limiter) => Promise<T>): Promise<T> {
    const own = await step(this.#own);
    try {
      return await step(this.#shared);
    } catch (error) {
      this.#faults.report(error);
      return own;
    }
  }
}
