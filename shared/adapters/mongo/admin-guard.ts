// One admin at a time loses the right, on a server without transactions, so that the last of them never does.
//
// Who takes the right from an admin first inserts the one document of `admin_guards`; with it in hand nobody else can, so
// what is counted then holds until the document is removed. A taker that dies leaves it behind. Whoever finds it after
// ABANDONED_MS first raises the revision of the account it was about, and only then takes its place: a write of the one
// before that is still on its way, however late, finds another revision and changes nothing.

import { randomUUID } from 'node:crypto';
import { isActiveAdmin } from '../../model/user.ts';
import type { UserCommit } from '../../ports/store.ts';
import type { Collections } from './collections.ts';
import { isDuplicate } from './errors.ts';
import { userOf } from './user-document.ts';

/** Far longer than it takes to count a few accounts and to write one. */
const ABANDONED_MS = 30_000;

export class AdminGuard {
  readonly #users: Collections['users'];
  readonly #guards: Collections['adminGuards'];

  constructor({ users, adminGuards }: Pick<Collections, 'users' | 'adminGuards'>) {
    this.#users = users;
    this.#guards = adminGuards;
  }

  /** `stale` also when another is at it: read again, then try again. */
  async whileOthersAreLeft(userId: string, write: () => Promise<UserCommit>): Promise<UserCommit> {
    const token = randomUUID();
    if (!(await this.#take(userId, token))) return 'stale';
    try {
      return (await this.#hasOthers(userId)) ? await write() : 'last_admin';
    } finally {
      await this.#guards.deleteOne({ _id: 'leaving_admin', token });
    }
  }

  async #take(userId: string, token: string): Promise<boolean> {
    const mine = { userId, token, at: Date.now() };
    try {
      await this.#guards.insertOne({ _id: 'leaving_admin', ...mine });
      return true;
    } catch (error) {
      if (!isDuplicate(error)) throw error;
    }
    const held = await this.#guards.findOne({ _id: 'leaving_admin' });
    if (held === null || held.at > mine.at - ABANDONED_MS) return false;
    await this.#users.updateOne({ _id: held.userId }, { $inc: { revision: 1 } });
    const { matchedCount } = await this.#guards.updateOne(
      { _id: 'leaving_admin', token: held.token },
      { $set: mine },
    );
    return matchedCount === 1;
  }

  async #hasOthers(userId: string): Promise<boolean> {
    // Documents of earlier releases do not say it in a field.
    const maybe = { _id: { $ne: userId }, $or: [{ activeAdmin: true }, { activeAdmin: { $exists: false } }] };
    for await (const document of this.#users.find(maybe)) if (isActiveAdmin(userOf(document))) return true;
    return false;
  }
}
