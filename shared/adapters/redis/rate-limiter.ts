// Counts calls per key for all processes together without ever waiting for Redis: each process decides by its own
// count and tells the others twice a second. While Redis is away each goes by its own count alone. Never throws.

import { RateLimiterRedis } from 'rate-limiter-flexible';
import type { Clock } from '../../ports/clock.ts';
import type { RateLimiter, RateVerdict } from '../../ports/coordination.ts';
import type { RedisConnection } from './connection.ts';
import { FaultLog } from './fault-log.ts';
import { RateCounts } from './rate-counts.ts';

export interface RateLimiterOptions {
  /** Keeps the keys of different limiters apart. */
  readonly keyPrefix: string;
  readonly windowSeconds: number;
  readonly clock: Clock;
}

/** How late a process learns what others let through. */
const TELL_MS = 500;
/** Keys in one message. */
const AT_ONCE = 500;

export class RedisRateLimiter implements RateLimiter {
  readonly #connection: RedisConnection;
  readonly #clock: Clock;
  readonly #counts: RateCounts;
  readonly #shared: RateLimiterRedis;
  readonly #faults: FaultLog;
  #timer: NodeJS.Timeout | null = null;

  constructor(connection: RedisConnection, options: RateLimiterOptions) {
    this.#connection = connection;
    this.#clock = options.clock;
    this.#counts = new RateCounts(options.windowSeconds * 1_000);
    this.#faults = new FaultLog(connection.log, 'calls are counted by this process alone');
    this.#shared = new RateLimiterRedis({
      storeClient: connection.client,
      keyPrefix: `${connection.prefix}:limit:${options.keyPrefix}`,
      // Here it only adds up: what a key may have is judged above, for each key.
      points: 0,
      duration: options.windowSeconds,
      rejectIfRedisNotReady: true,
    });
  }

  take(key: string, cost: number, limit: number): RateVerdict {
    const verdict = this.#counts.take(key, cost, limit, this.#clock.monotonic());
    if (this.#timer === null && this.#counts.hasUntold) this.#schedule();
    return verdict;
  }

  #schedule(): void {
    this.#timer = setTimeout(() => {
      this.#tell().finally(() => {
        this.#timer = null;
        if (this.#counts.hasUntold) this.#schedule();
      });
    }, TELL_MS);
    // Nothing is lost with it that matters after the end of the process.
    this.#timer.unref();
  }

  async #tell(): Promise<void> {
    for (let more = true; more; ) {
      const untold = this.#counts.takeUntold(AT_ONCE, this.#clock.monotonic());
      more = untold.length === AT_ONCE;
      if (this.#connection.isReady) this.#connection.sendTogether();
      const all = await Promise.all(untold.map(([key, points]) => this.#tellOne(key, points)));
      // The next try comes with the next turn.
      if (all.includes(false)) return;
    }
  }

  async #tellOne(key: string, points: number): Promise<boolean> {
    try {
      const { consumedPoints, msBeforeNext } = await this.#shared.penalty(key, points);
      const answer = { total: consumedPoints, msLeft: msBeforeNext };
      this.#counts.told(key, points, answer, this.#clock.monotonic());
      return true;
    } catch (error) {
      this.#counts.notTold(key, points);
      this.#faults.report(error);
      return false;
    }
  }
}
