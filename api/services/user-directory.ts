// Accounts as admins see and change them, and one's own with what is used of its quota. Knows nothing of HTTP.

import type { SeenAccount } from '../../shared/contracts/users.ts';
import { AppError } from '../../shared/errors.ts';
import { NO_RESOURCES } from '../../shared/model/resources.ts';
import { signedOut } from '../../shared/model/sign-ins.ts';
import { newUser, type Principal, type Quota, type Role, type User } from '../../shared/model/user.ts';
import { newId } from '../../shared/platform/ids.ts';
import type { Log } from '../../shared/platform/log.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Store } from '../../shared/ports/store.ts';
import type { Announcer } from './announcer.ts';
import type { Holdings } from './holdings.ts';
import type { PasswordHasher } from './passwords.ts';
import { requireRight } from './rights.ts';
import type { Sessions } from './sessions.ts';
import type { UserChanges } from './user-changes.ts';

export interface UserDirectoryParts {
  readonly store: Pick<Store, 'users' | 'tasks' | 'files'>;
  readonly changes: UserChanges;
  readonly sessions: Pick<Sessions, 'removeApiTokens'>;
  readonly holdings: Holdings;
  readonly announcer: Pick<Announcer, 'quotaChanged'>;
  readonly hasher: PasswordHasher;
  readonly clock: Clock;
  readonly log: Log;
}

/** With what is used of its quota. */
export type Account = SeenAccount;

export interface NewAccount {
  readonly username: string;
  readonly password: string;
  readonly role: Role;
}

/** What is absent stays. */
export interface AccountChange {
  readonly role?: Role | undefined;
  readonly disabled?: boolean | undefined;
  readonly password?: string | undefined;
  readonly quota?: Partial<Quota> | undefined;
}

export class UserDirectory {
  readonly #parts: UserDirectoryParts;

  constructor(parts: UserDirectoryParts) {
    this.#parts = parts;
  }

  /** @throws AppError `unauthenticated` when the account is gone */
  async own(by: Principal): Promise<Account> {
    const user = await this.#parts.store.users.get(by.userId);
    if (!user) throw new AppError('unauthenticated', 'this account no longer exists: register a new one');
    return this.#withUse(user);
  }

  /** In order of name. @throws AppError `forbidden` */
  async list(
    by: Principal,
    query: { text?: string | undefined; limit: number; after?: string | undefined },
  ): Promise<{ accounts: Account[]; next: string | null }> {
    requireRight(by, 'user.see');
    const { users, next } = await this.#parts.store.users.list(query, query);
    return { accounts: await this.#withUses(users), next };
  }

  /** @throws AppError `forbidden`, `not_found` */
  async get(by: Principal, username: string): Promise<Account> {
    requireRight(by, 'user.see');
    return this.#withUse(await this.#find(username));
  }

  /** Also where registration is closed. @throws AppError `forbidden`, `username_taken` */
  async create(by: Principal, { username, password, role }: NewAccount): Promise<Account> {
    requireRight(by, 'user.create');
    const { store, hasher, clock, log } = this.#parts;
    const refuse = () =>
      new AppError('username_taken', `the username ${username} is taken: choose another one`);
    if (await store.users.findByUsername(username)) throw refuse();
    const passwordHash = await hasher.hash(password);
    const user = newUser({ id: newId('user'), username, passwordHash, role, createdAt: clock.now() });
    if (!(await store.users.insert(user))) throw refuse();
    log.info({ by: by.username, user: username, role }, 'account made');
    return { user, used: { unfinishedTasks: 0, uploadBytes: 0, held: NO_RESOURCES } };
  }

  /**
   * A new password and disabling end all sign-ins of the account.
   * @throws AppError `forbidden`, `not_found`; `conflict` for the last active admin
   */
  async change(by: Principal, username: string, change: AccountChange): Promise<Account> {
    requireRight(by, 'user.change');
    const { changes, announcer, hasher, log } = this.#parts;
    const found = await this.#find(username);
    const passwordHash = change.password === undefined ? undefined : await hasher.hash(change.password);
    const user = await changes.change(found, (now) => changed(now, change, passwordHash));
    if (change.quota) announcer.quotaChanged(user.id);
    const { password, ...told } = change;
    const said = { ...told, ...(password === undefined ? {} : { password: 'new' }) };
    log.info({ by: by.username, user: user.username, change: said }, 'account changed');
    return this.#withUse(user);
  }

  /** Ends all sign-ins of the account, and with `apiTokens` takes back its tokens. @throws AppError `forbidden`, `not_found` */
  async signOut(by: Principal, username: string, { apiTokens }: { apiTokens: boolean }): Promise<void> {
    requireRight(by, 'user.sign_out');
    const { changes, sessions, log } = this.#parts;
    const user = await changes.change(await this.#find(username), signedOut);
    if (apiTokens) await sessions.removeApiTokens(user.id);
    log.info({ by: by.username, user: user.username, apiTokens }, 'account signed out everywhere');
  }

  async #find(username: string): Promise<User> {
    const user = await this.#parts.store.users.findByUsername(username);
    if (user) return user;
    throw new AppError('not_found', `there is no user ${username}; GET /api/users lists them`);
  }

  async #withUse(user: User): Promise<Account> {
    const [account] = await this.#withUses([user]);
    if (!account) throw new AppError('internal', 'an account was lost on its way');
    return account;
  }

  async #withUses(users: readonly User[]): Promise<Account[]> {
    const { tasks, files } = this.#parts.store;
    const ids = users.map(({ id }) => id);
    const [unfinished, bytes, held] = await Promise.all([
      tasks.countUnfinished(ids),
      files.uploadBytes(ids),
      this.#parts.holdings.byOwner(),
    ]);
    return users.map((user) => ({
      user,
      used: {
        unfinishedTasks: unfinished.get(user.id) ?? 0,
        uploadBytes: bytes.get(user.id) ?? 0,
        held: held.get(user.id) ?? NO_RESOURCES,
      },
    }));
  }
}

function changed(now: User, change: AccountChange, passwordHash: string | undefined): User {
  const disabled = change.disabled ?? now.disabled;
  const next: User = {
    ...now,
    role: change.role ?? now.role,
    disabled,
    quota: { ...now.quota, ...change.quota },
    passwordHash: passwordHash ?? now.passwordHash,
  };
  // An account that comes back signs in anew.
  return passwordHash !== undefined || (disabled && !now.disabled) ? signedOut(next) : next;
}
