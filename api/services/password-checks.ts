// Whether a password is right, with a lock-out after repeated failures: for logins and for changes of the password alike,
// so that neither is a way around the other.

import { createHash } from 'node:crypto';
import { AppError } from '../../shared/errors.ts';
import { type User, usernameKey } from '../../shared/model/user.ts';
import type { AttemptLimiter } from '../../shared/ports/coordination.ts';
import { KeyedTurns } from './keyed-turns.ts';
import type { PasswordHasher } from './passwords.ts';

/** Checks that may wait for one key. */
const MAX_IN_TURN = 16;

export interface PasswordGuess {
  readonly username: string;
  readonly password: string;
  /** Of the client: a lock-out counts per name and address, so that nobody can lock others out. */
  readonly address: string;
}

export class PasswordChecks {
  readonly #hasher: PasswordHasher;
  readonly #limiter: AttemptLimiter;
  /** Checks for one key go one after the other, so that many at once are counted like many in a row. */
  readonly #turns = new KeyedTurns({
    most: MAX_IN_TURN,
    refusal: 'too many logins at once for this account; try again in a moment',
    retryAfterSeconds: 5,
  });

  constructor(hasher: PasswordHasher, limiter: AttemptLimiter) {
    this.#hasher = hasher;
    this.#limiter = limiter;
  }

  /**
   * The account when the password is its own; null for a wrong one and, after just as long, for no account.
   * @throws AppError `locked_out`, `rate_limited`
   */
  async check(guess: PasswordGuess, find: () => Promise<User | null>): Promise<User | null> {
    const key = createHash('sha256')
      .update(`${usernameKey(guess.username)}\n${guess.address}`)
      .digest('base64url');
    return this.#turns.take(key, async () => {
      const seconds = await this.#limiter.blockedFor(key);
      if (seconds > 0) {
        throw new AppError('locked_out', `too many failed logins: try again in ${Math.ceil(seconds)} s`, {
          retryable: true,
          retryAfterSeconds: Math.ceil(seconds),
        });
      }
      const user = await find();
      if (!(await this.#hasher.verify(guess.password, user?.passwordHash ?? null)) || !user) {
        await this.#limiter.fail(key);
        return null;
      }
      await this.#limiter.reset(key);
      return user;
    });
  }
}
