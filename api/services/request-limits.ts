// How many requests one caller may make: reads and writes of a user apart, and of an address where nobody signed in. A user
// has the limits of the settings, or its own where an admin has set them.
// Decides at once and from memory; knows nothing of HTTP.

import { AppError } from '../../shared/errors.ts';
import type { RateLimits } from '../../shared/platform/config/api.ts';
import type { Log } from '../../shared/platform/log.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { RateLimiter, RateVerdict } from '../../shared/ports/coordination.ts';
import type { KnownUsers } from './known-users.ts';
import { networkOf } from './network-of.ts';

export type LimitKind = keyof RateLimits;

export interface RequestLimitsParts {
  readonly rateLimits: RateLimits;
  readonly rateLimiter: (options: {
    readonly keyPrefix: string;
    readonly windowSeconds: number;
    readonly clock: Clock;
  }) => RateLimiter;
  /** For limits of their own. */
  readonly known: Pick<KnownUsers, 'newest'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Whose requests are counted. */
export type Payer = { readonly userId: string } | { readonly address: string };

/** What was said to a request that was let in. */
export interface Admission {
  readonly kind: LimitKind;
  readonly verdict: RateVerdict;
}

/** A burst may take a whole window at once, and whoever is refused waits no longer than that. */
export const WINDOW_SECONDS = 10;
/** A request about many tasks counts once more for each so many of them. */
const TASKS_PER_REQUEST = 100;

const WORDS: Readonly<Record<LimitKind, string>> = {
  reads: 'of reads by your account',
  writes: 'of writes by your account',
  anonymous: 'of requests without a sign-in from one address',
};

export class RequestLimits {
  readonly #limiters: Readonly<Record<LimitKind, RateLimiter>>;
  readonly #rateLimits: RateLimits;
  readonly #known: Pick<KnownUsers, 'newest'>;
  readonly #log: Log;

  constructor({ rateLimits, rateLimiter, known, clock, log }: RequestLimitsParts) {
    const open = (kind: LimitKind) =>
      rateLimiter({ keyPrefix: `rate-${kind}`, windowSeconds: WINDOW_SECONDS, clock });
    this.#limiters = { reads: open('reads'), writes: open('writes'), anonymous: open('anonymous') };
    this.#rateLimits = rateLimits;
    this.#known = known;
    this.#log = log;
  }

  /** Null where there is no limit. @throws LimitReached */
  admit(kind: LimitKind, payer: Payer): Admission | null {
    const limit = this.#limitOf(kind, payer);
    if (limit === 0) return null;
    const verdict = this.#limiters[kind].take(keyOf(payer), 1, limit);
    if (verdict.isAllowed) return { kind, verdict };
    // Once per window: a flood must not fill the log.
    if (verdict.isFirst) this.#log.warn({ ...payer, kind }, 'requests are refused: over the rate limit');
    throw new LimitReached({ kind, verdict });
  }

  /** On top of the request itself, which goes on: what it was about was more than one task. */
  chargeFor(tasks: number, userId: string): void {
    const cost = Math.floor(tasks / TASKS_PER_REQUEST);
    const limit = this.#limitOf('writes', { userId });
    if (cost > 0 && limit > 0) this.#limiters.writes.take(userId, cost, limit);
  }

  /** Of a window; 0: none. */
  #limitOf(kind: LimitKind, payer: Payer): number {
    return WINDOW_SECONDS * (this.#ownRate(kind, payer) ?? this.#rateLimits[kind]);
  }

  /** Without asking the store: whoever is let in was looked up a moment ago. */
  #ownRate(kind: LimitKind, payer: Payer): number | null {
    if (kind === 'anonymous' || !('userId' in payer)) return null;
    const quota = this.#known.newest(payer.userId)?.quota;
    return (kind === 'reads' ? quota?.rateLimitReads : quota?.rateLimitWrites) ?? null;
  }
}

export class LimitReached extends AppError {
  readonly admission: Admission;

  constructor(admission: Admission) {
    const { kind, verdict } = admission;
    const { limit, resetSeconds } = verdict;
    const message = `the limit ${WORDS[kind]} is ${limit} in ${WINDOW_SECONDS} s: wait ${resetSeconds} s`;
    super('rate_limited', message, {
      retryable: true,
      retryAfterSeconds: resetSeconds,
      // Tells programs that waiting is all it takes, which is not so with every 429.
      details: [{ field: 'requests', message }],
    });
    this.admission = admission;
  }
}

function keyOf(payer: Payer): string {
  return 'userId' in payer ? payer.userId : networkOf(payer.address);
}
