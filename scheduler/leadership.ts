// Holds the leader's lease. Leading ends by this process's own monotonic clock, at the latest when the lease
// confirmed last runs out; an answer that never comes therefore cannot make two leaders believe in themselves for
// longer than the term check in the store already covers.

import { AppError, messageOf } from '../shared/errors.ts';
import { withDeadline } from '../shared/platform/deadline.ts';
import type { Log } from '../shared/platform/log.ts';
import type { Clock } from '../shared/ports/clock.ts';
import type { LeaderLease } from '../shared/ports/coordination.ts';

export interface LeadershipParts {
  readonly lease: LeaderLease;
  readonly clock: Clock;
  readonly log: Log;
  /** Unique name of this process. */
  readonly holder: string;
  readonly ttlMs: number;
  /** Called after the lease was won, lost or ran out. */
  readonly onChange: () => void;
}

/** A copy that stands by asks this often, so that it takes over soon after a lease was given up. */
const STANDBY_MS = 500;
const RELEASE_MS = 3_000;

export class Leadership {
  readonly #parts: LeadershipParts;
  /** By the monotonic clock; the lease is ours until then. */
  #validUntil = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #expiry: NodeJS.Timeout | undefined;
  #wins = 0;
  #stopped = false;

  constructor(parts: LeadershipParts) {
    this.#parts = parts;
  }

  /** True while the lease is surely ours. Ask right before each write. */
  holds(): boolean {
    return this.#parts.clock.monotonic() < this.#validUntil;
  }

  /** Grows each time the lease is won: what was begun under an earlier number must not go on under this one. */
  get wins(): number {
    return this.#wins;
  }

  start(): void {
    this.#schedule(0);
  }

  /** Steps down; the lease is free for others at once, if it can be reached. */
  async resign(): Promise<void> {
    this.#drop();
    try {
      await withDeadline(this.#parts.lease.release(this.#parts.holder), RELEASE_MS, noAnswer);
    } catch (error) {
      this.#parts.log.warn({ fault: messageOf(error) }, 'could not release the lease; it runs out by itself');
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    // An answer still under way finds `#stopped`, and its question went out before this one.
    await this.resign();
  }

  #schedule(ms: number): void {
    if (this.#stopped) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#ask(), ms);
  }

  async #ask(): Promise<void> {
    const { lease, clock, log, holder, ttlMs } = this.#parts;
    const held = this.holds();
    const askedAt = clock.monotonic();
    try {
      const ours = await withDeadline(lease.hold(holder, ttlMs), ttlMs, noAnswer);
      if (this.#stopped) return;
      // The lease runs at least from when it was asked for.
      if (ours) this.#keep(askedAt + ttlMs);
      else if (held) {
        log.warn('another scheduler holds the lease');
        this.#drop();
      }
      this.#schedule(ours ? ttlMs / 3 : Math.min(STANDBY_MS, ttlMs / 3));
    } catch (error) {
      if (held) log.warn({ fault: messageOf(error) }, 'could not renew the lease');
      this.#schedule(Math.min(STANDBY_MS, ttlMs / 10));
    }
  }

  #keep(until: number): void {
    const { clock, onChange, log } = this.#parts;
    const before = this.holds();
    if (!before) this.#wins += 1;
    this.#validUntil = until;
    clearTimeout(this.#expiry);
    this.#expiry = setTimeout(
      () => {
        if (this.holds()) return;
        log.warn('the lease ran out before it could be renewed');
        onChange();
      },
      until - clock.monotonic() + 1,
    );
    if (before !== this.holds()) onChange();
  }

  #drop(): void {
    clearTimeout(this.#expiry);
    const before = this.holds();
    this.#validUntil = Number.NEGATIVE_INFINITY;
    if (before) this.#parts.onChange();
  }
}

function noAnswer(): AppError {
  return new AppError('queue_unavailable', 'no answer about the lease of the leader', { retryable: true });
}
