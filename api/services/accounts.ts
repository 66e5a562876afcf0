// Accounts: registration, login with lock-out, who someone is. Knows nothing of HTTP.

import { createHash } from 'node:crypto';
import { AppError } from '../../shared/errors.ts';
import { type Principal, type User, usernameKey } from '../../shared/model/user.ts';
import { newId } from '../../shared/platform/ids.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { AttemptLimiter } from '../../shared/ports/coordination.ts';
import type { UserStore } from '../../shared/ports/store.ts';
import type { PasswordHasher } from './passwords.ts';
import type { Sessions } from './sessions.ts';

/** Logins that may wait for one key. */
const MAX_LOGINS_IN_TURN = 16;

export interface AccountParts {
  readonly users: UserStore;
  readonly hasher: PasswordHasher;
  readonly sessions: Sessions;
  readonly limiter: AttemptLimiter;
  readonly registration: 'open' | 'closed';
  readonly clock: Clock;
}

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

export class Accounts {
  readonly #parts: AccountParts;
  /** Id that has the right to be the first admin and did not become a user: the next account gets it. */
  #claimedId: string | null = null;
  /** Logins for one key go one after the other, so that many at once are counted like many in a row. */
  readonly #turns = new Map<string, { waiting: number; last: Promise<unknown> }>();

  constructor(parts: AccountParts) {
    this.#parts = parts;
  }

  /** @throws AppError `username_taken`; `forbidden` when registration is closed and there is an admin already */
  async register({ username, password }: Credentials): Promise<User> {
    const { users, hasher, registration, clock } = this.#parts;
    const held = this.#claimedId;
    this.#claimedId = null;
    const id = held ?? newId('user');
    let admin = false;
    let isUser = false;
    try {
      if (registration === 'closed') {
        admin = await this.#claimAdmin(id);
        if (!admin) {
          throw new AppError('forbidden', 'registration is closed here: ask an admin of the cluster');
        }
      }
      if (await users.findByUsername(username)) throw taken(username);
      const passwordHash = await hasher.hash(password);
      admin ||= await this.#claimAdmin(id);
      const user: User = {
        id,
        username,
        passwordHash,
        role: admin ? 'admin' : 'user',
        createdAt: clock.now(),
      };
      if (!(await users.insert(user))) throw taken(username);
      isUser = true;
      return user;
    } finally {
      if (!isUser && (admin || held !== null)) this.#claimedId = id;
    }
  }

  /**
   * @param address of the client: a lock-out counts per name and address, so that nobody can lock others out
   * @throws AppError `unauthenticated`, the same for an unknown name and a wrong password; `locked_out`
   */
  async login(
    { username, password }: Credentials,
    address: string,
  ): Promise<{ user: User; token: string; expiresAt: number }> {
    const { users, hasher, sessions, limiter } = this.#parts;
    const key = createHash('sha256')
      .update(`${usernameKey(username)}\n${address}`)
      .digest('base64url');
    return this.#inTurn(key, async () => {
      const seconds = await limiter.blockedFor(key);
      if (seconds > 0) {
        throw new AppError('locked_out', `too many failed logins: try again in ${Math.ceil(seconds)} s`, {
          retryable: true,
          retryAfterSeconds: Math.ceil(seconds),
        });
      }
      const user = await users.findByUsername(username);
      if (!(await hasher.verify(password, user?.passwordHash ?? null)) || !user) {
        await limiter.fail(key);
        throw new AppError('unauthenticated', 'wrong username or password');
      }
      await limiter.reset(key);
      return { user, ...sessions.issue(user) };
    });
  }

  /** @throws AppError `unauthenticated` when the account is gone */
  async whoIs(principal: Principal): Promise<User> {
    const user = await this.#parts.users.get(principal.userId);
    if (!user) throw new AppError('unauthenticated', 'this account no longer exists: register a new one');
    return user;
  }

  #claimAdmin(userId: string): Promise<boolean> {
    return this.#parts.users.claimFirstAdmin({ userId, at: this.#parts.clock.now() });
  }

  async #inTurn<T>(key: string, work: () => Promise<T>): Promise<T> {
    const turn = this.#turns.get(key) ?? { waiting: 0, last: Promise.resolve() };
    if (turn.waiting >= MAX_LOGINS_IN_TURN) {
      throw new AppError('rate_limited', 'too many logins at once for this account; try again in a moment', {
        retryable: true,
        retryAfterSeconds: 5,
      });
    }
    const mine = turn.last.then(work, work);
    turn.last = mine.catch(() => undefined);
    turn.waiting += 1;
    this.#turns.set(key, turn);
    try {
      return await mine;
    } finally {
      turn.waiting -= 1;
      if (turn.waiting === 0) this.#turns.delete(key);
    }
  }
}

function taken(username: string): AppError {
  return new AppError('username_taken', `the username ${username} is taken: choose another one`);
}
