// The one way in which an account is changed: read, decide, compare-and-set, again when another was faster; then this
// process knows, and whoever listens.

import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '../../shared/errors.ts';
import type { User } from '../../shared/model/user.ts';
import type { UserStore } from '../../shared/ports/store.ts';
import type { KnownUsers } from './known-users.ts';

/** With the pauses between them about two seconds: another change is over by then. */
const TRIES = 12;

export class UserChanges {
  readonly #users: UserStore;
  readonly #known: KnownUsers;

  constructor(users: UserStore, known: KnownUsers) {
    this.#users = users;
    this.#known = known;
  }

  /**
   * @param decide the changed account; may throw, and then nothing is written. Asked anew for each try
   * @throws AppError `not_found` when there is no such account; `conflict` for the last active admin, and when others
   *   change it without end
   */
  async change(user: User, decide: (now: User) => User): Promise<User> {
    let now: User | null = user;
    for (let tries = 0; tries < TRIES; tries += 1) {
      if (now === null) throw new AppError('not_found', `there is no user ${user.username}`);
      const next = { ...decide(now), revision: now.revision + 1 };
      const outcome = await this.#users.commit(next);
      if (outcome === 'written') {
        this.#known.changed(next);
        return next;
      }
      if (outcome === 'last_admin') {
        throw new AppError(
          'conflict',
          `${user.username} is the last active admin of this cluster: make another account an admin first`,
        );
      }
      await delay(Math.random() * 30 * (tries + 1));
      now = await this.#users.get(user.id);
    }
    throw new AppError('conflict', `${user.username} is being changed by others: try again`);
  }
}
