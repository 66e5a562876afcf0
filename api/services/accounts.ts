// One's own account: registration, login, another password. Knows nothing of HTTP.

import { AppError } from '../../shared/errors.ts';
import { signedOut, signedOutOf } from '../../shared/model/sign-ins.ts';
import { newUser, type Principal, type User } from '../../shared/model/user.ts';
import { newId } from '../../shared/platform/ids.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { UserStore } from '../../shared/ports/store.ts';
import type { PasswordChecks } from './password-checks.ts';
import type { PasswordHasher } from './passwords.ts';
import type { Session, Sessions } from './sessions.ts';
import type { UserChanges } from './user-changes.ts';

export interface AccountParts {
  readonly users: UserStore;
  readonly changes: UserChanges;
  readonly hasher: PasswordHasher;
  readonly checks: PasswordChecks;
  readonly sessions: Sessions;
  readonly registration: 'open' | 'closed';
  readonly clock: Clock;
}

export interface Credentials {
  readonly username: string;
  readonly password: string;
}

export interface SignIn {
  readonly user: User;
  readonly token: string;
  readonly expiresAt: number;
}

export class Accounts {
  readonly #parts: AccountParts;
  /** Id that has the right to be the first admin and did not become a user: the next account gets it. */
  #claimedId: string | null = null;

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
      const role = admin ? 'admin' : 'user';
      const user = newUser({ id, username, passwordHash, role, createdAt: clock.now() });
      if (!(await users.insert(user))) throw taken(username);
      isUser = true;
      return user;
    } finally {
      if (!isUser && (admin || held !== null)) this.#claimedId = id;
    }
  }

  /**
   * @param address of the client
   * @throws AppError `unauthenticated`, the same for an unknown name and a wrong password; `locked_out`; `forbidden` for
   *   a disabled account, which only its own password brings to light
   */
  async login({ username, password }: Credentials, address: string): Promise<SignIn> {
    const { users, checks, sessions } = this.#parts;
    const user = await checks.check({ username, password, address }, () => users.findByUsername(username));
    if (!user) throw new AppError('unauthenticated', 'wrong username or password');
    if (user.disabled) {
      throw new AppError('forbidden', 'this account is disabled: ask an admin of the cluster');
    }
    return { user, ...sessions.issue(user) };
  }

  /**
   * Ends all sign-ins of the account and gives a fresh one. API tokens stay.
   * @throws AppError `forbidden` for a wrong password, which counts like a failed login; `locked_out`; `conflict` when
   *   another changed the password meanwhile
   */
  async changePassword(
    by: Principal,
    { current, next }: { current: string; next: string },
    address: string,
  ): Promise<SignIn> {
    const { users, changes, checks, hasher, sessions } = this.#parts;
    const guess = { username: by.username, password: current, address };
    const user = await checks.check(guess, () => users.get(by.userId));
    if (!user) {
      const message = '"current_password" is not your password';
      throw new AppError('forbidden', message, { details: [{ field: 'current_password', message }] });
    }
    const passwordHash = await hasher.hash(next);
    const changed = await changes.change(user, (now) => {
      if (now.passwordHash !== user.passwordHash) {
        throw new AppError('conflict', 'the password was changed by another at the same time: log in anew');
      }
      return signedOut({ ...now, passwordHash });
    });
    return { user: changed, ...sessions.issue(changed) };
  }

  /**
   * Ends the sign-in that is spoken for, on all copies of the API and with all that is open by it.
   * @throws AppError `conflict` for an API token, which is taken back instead
   */
  async signOut({ principal, signInId, tokenId, expiresAt }: Session): Promise<void> {
    const { changes, clock } = this.#parts;
    if (tokenId !== null) {
      throw new AppError(
        'conflict',
        `an API token is no sign-in: take it back with DELETE /api/auth/tokens/${tokenId}`,
      );
    }
    const ended = { id: signInId ?? '', until: expiresAt ?? 0 };
    await changes.change(await this.#own(principal), (now) =>
      // One of an earlier release has no id of its own.
      signInId === null ? signedOut(now) : signedOutOf(now, ended, clock.now()),
    );
  }

  /** Ends all sign-ins of the account, also the one that is spoken for, and with `apiTokens` takes back its tokens. */
  async signOutAll(by: Principal, { apiTokens }: { apiTokens: boolean }): Promise<void> {
    const { changes, sessions } = this.#parts;
    await changes.change(await this.#own(by), signedOut);
    if (apiTokens) await sessions.removeApiTokens(by.userId);
  }

  async #own(by: Principal): Promise<User> {
    const user = await this.#parts.users.get(by.userId);
    if (user) return user;
    throw new AppError('unauthenticated', 'this account no longer exists: register a new one');
  }

  /** The name as its owner writes it; null when nobody has it: what it is instead nobody should see. */
  async knownName(username: string): Promise<string | null> {
    return (await this.#parts.users.findByUsername(username))?.username ?? null;
  }

  #claimAdmin(userId: string): Promise<boolean> {
    return this.#parts.users.claimFirstAdmin({ userId, at: this.#parts.clock.now() });
  }
}

function taken(username: string): AppError {
  return new AppError('username_taken', `the username ${username} is taken: choose another one`);
}
