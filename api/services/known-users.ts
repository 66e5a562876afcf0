// Accounts as the store told them a moment ago, so that a request costs one look into a map and not one at the store.
// Told of every change that this process makes; what other processes change it finds out when its copy is too old.

import type { User } from '../../shared/model/user.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { UserStore } from '../../shared/ports/store.ts';
import { storeAnswer } from './deadline.ts';

/**
 * How long a copy is good. Whoever lost a right may still use it for so long where the word of another process did not
 * arrive, so it is no more than a moment; and a busy account is read from the store no more often than that, so at a
 * thousand requests a second one in two thousand waits for it.
 */
export const FRESH_MS = 2_000;
/** A copy has half a kilobyte. */
const MAX_KEPT = 10_000;

interface Copy {
  readonly user: User;
  readonly at: number;
}

export class KnownUsers {
  readonly #users: Pick<UserStore, 'get'>;
  readonly #clock: Clock;
  readonly #copies = new Map<string, Copy>();
  readonly #asked = new Map<string, Promise<User | null>>();
  readonly #listeners = new Set<(userId: string) => void>();

  constructor(users: Pick<UserStore, 'get'>, clock: Clock) {
    this.#users = users;
    this.#clock = clock;
  }

  /** Null when nothing is known, or only from too long ago. */
  fresh(id: string): User | null {
    const copy = this.#copies.get(id);
    return copy !== undefined && this.#clock.monotonic() - copy.at < FRESH_MS ? copy.user : null;
  }

  /** However long ago; null when nothing is known. Says nothing of rights: only for what may be a little old. */
  newest(id: string): User | null {
    return this.#copies.get(id)?.user ?? null;
  }

  /** @throws AppError `store_unavailable` when there is no fresh copy and no store */
  async get(id: string): Promise<User | null> {
    return this.fresh(id) ?? (await this.#load(id));
  }

  /** What this process has just written. */
  changed(user: User): void {
    this.forget(user.id);
    this.#keep(user);
    for (const listener of this.#listeners) listener(user.id);
  }

  /** Another process has changed it. */
  forget(id: string): void {
    this.#copies.delete(id);
    // An answer that is on its way may be older than the change.
    this.#asked.delete(id);
  }

  /** Calls back with the id of each account that is changed through this process. */
  onChanged(listener: (userId: string) => void): void {
    this.#listeners.add(listener);
  }

  /** Many who ask at once ask the store once. */
  #load(id: string): Promise<User | null> {
    const asked = this.#asked.get(id);
    if (asked) return asked;
    // With an end: one that never came would keep all who ask after it.
    const answer = storeAnswer(this.#users.get(id)).then(
      (user) => {
        if (this.#asked.get(id) !== answer) return user;
        this.#asked.delete(id);
        if (user) this.#keep(user);
        return user;
      },
      (error: unknown) => {
        if (this.#asked.get(id) === answer) this.#asked.delete(id);
        throw error;
      },
    );
    this.#asked.set(id, answer);
    return answer;
  }

  #keep(user: User): void {
    // The one that was read longest ago goes first.
    this.#copies.delete(user.id);
    this.#copies.set(user.id, { user, at: this.#clock.monotonic() });
    if (this.#copies.size <= MAX_KEPT) return;
    for (const id of this.#copies.keys()) {
      this.#copies.delete(id);
      return;
    }
  }
}
