// Accounts and API tokens in MongoDB. Holds hashes only; it must never see a password or a token itself.

import {
  type ApiToken,
  isActiveAdmin,
  limitsOf,
  type ResourceQuota,
  type User,
  usernameKey,
} from '../../model/user.ts';
import {
  ADMIN_CLAIM_MS,
  type AdminClaim,
  type UserCommit,
  type UserPage,
  type UserStore,
} from '../../ports/store.ts';
import { AdminGuard } from './admin-guard.ts';
import type { Collections, TokenDocument, UserDocument } from './collections.ts';
import { guarded, isDuplicate } from './errors.ts';
import { literal } from './literal.ts';
import { atRevision, userOf } from './user-document.ts';

export class MongoUserStore implements UserStore {
  readonly #users: Collections['users'];
  readonly #tokens: Collections['tokens'];
  readonly #adminClaims: Collections['adminClaims'];
  readonly #guard: AdminGuard;

  constructor(collections: Pick<Collections, 'users' | 'tokens' | 'adminClaims' | 'adminGuards'>) {
    const { users, tokens, adminClaims } = collections;
    this.#guard = new AdminGuard(collections);
    this.#users = users;
    this.#tokens = tokens;
    this.#adminClaims = adminClaims;
  }

  insert(user: User): Promise<boolean> {
    const key = usernameKey(user.username);
    return guarded(async () => {
      try {
        const { id, revision } = user;
        const fields = { usernameKey: key, revision, ...told(user) };
        await this.#users.insertOne({ _id: id, ...fields, record: JSON.stringify(user) });
        return true;
      } catch (error) {
        // The name, or (a fault of the caller) the id?
        if (isDuplicate(error) && (await this.#users.findOne({ usernameKey: key })) !== null) return false;
        throw error;
      }
    });
  }

  get(id: string): Promise<User | null> {
    return this.#find({ _id: id });
  }

  findByUsername(username: string): Promise<User | null> {
    return this.#find({ usernameKey: usernameKey(username) });
  }

  commit(next: User): Promise<UserCommit> {
    return guarded(async () => {
      const before = await this.get(next.id);
      if (before?.revision !== next.revision - 1) return 'stale';
      const loses = isActiveAdmin(before) && !isActiveAdmin(next);
      return loses ? this.#guard.whileOthersAreLeft(next.id, () => this.#write(next)) : this.#write(next);
    });
  }

  async #write(next: User): Promise<UserCommit> {
    const { matchedCount } = await this.#users.updateOne(
      { _id: next.id, ...atRevision(next.revision - 1) },
      {
        $set: { record: JSON.stringify(next), revision: next.revision, ...told(next) },
      },
    );
    return matchedCount === 1 ? 'written' : 'stale';
  }

  list(
    { text }: { text?: string | undefined },
    { limit, after }: { limit: number; after?: string | undefined },
  ): Promise<UserPage> {
    return guarded(async () => {
      const found = await this.#users
        .find({
          usernameKey: {
            $gt: usernameKey(after ?? ''),
            ...(text ? { $regex: literal(usernameKey(text)) } : {}),
          },
        })
        .sort({ usernameKey: 1 })
        .limit(limit + 1)
        .toArray();
      const users = found.slice(0, limit).map(userOf);
      return { users, next: found.length > limit ? (users.at(-1)?.username ?? null) : null };
    });
  }

  resourceQuotas(): Promise<ReadonlyMap<string, ResourceQuota>> {
    return guarded(async () => {
      const found = await this.#users.find({ isLimited: true }, { projection: { record: 1 } }).toArray();
      const quotas = new Map<string, ResourceQuota>();
      for (const doc of found) {
        const limits = limitsOf(userOf(doc).quota);
        if (limits !== null) quotas.set(doc._id, limits);
      }
      return quotas;
    });
  }

  claimFirstAdmin({ userId, at }: AdminClaim): Promise<boolean> {
    return guarded(async () => {
      try {
        await this.#adminClaims.insertOne({ _id: 'first_admin', userId, at });
        return true;
      } catch (error) {
        if (!isDuplicate(error)) throw error;
      }
      const holder = await this.#adminClaims.findOne({ _id: 'first_admin' });
      if (!holder || holder.userId === userId) return holder !== null;
      if (holder.at >= at - ADMIN_CLAIM_MS || (await this.get(holder.userId)) !== null) return false;
      // Of several who find it lapsed, one replaces it.
      const replaced = await this.#adminClaims.updateOne(
        { _id: 'first_admin', userId: holder.userId, at: holder.at },
        { $set: { userId, at } },
      );
      return replaced.matchedCount === 1;
    });
  }

  insertToken(token: ApiToken): Promise<void> {
    return guarded(async () => {
      await this.#tokens.insertOne({
        _id: token.id,
        userId: token.userId,
        hash: token.hash,
        createdAt: token.createdAt,
        lastUsedAt: token.lastUsedAt,
        record: JSON.stringify(token),
      });
    });
  }

  findTokenByHash(hash: string): Promise<ApiToken | null> {
    return guarded(async () => {
      const found = await this.#tokens.findOne({ hash });
      return found && tokenOf(found);
    });
  }

  listTokens(userId: string): Promise<ApiToken[]> {
    return guarded(async () =>
      (await this.#tokens.find({ userId }).sort({ createdAt: 1, _id: 1 }).toArray()).map(tokenOf),
    );
  }

  touchToken(id: string, lastUsedAt: number): Promise<void> {
    return guarded(async () => {
      await this.#tokens.updateOne({ _id: id }, { $set: { lastUsedAt } });
    });
  }

  removeToken(userId: string, id: string): Promise<boolean> {
    return guarded(async () => (await this.#tokens.deleteOne({ _id: id, userId })).deletedCount === 1);
  }

  #find(where: { _id: string } | { usernameKey: string }): Promise<User | null> {
    return guarded(async () => {
      const found = await this.#users.findOne(where);
      return found && userOf(found);
    });
  }
}

/** What is searched for stands beside the record. */
function told(user: User): Pick<UserDocument, 'activeAdmin' | 'isLimited'> {
  return { activeAdmin: isActiveAdmin(user), isLimited: limitsOf(user.quota) !== null };
}

function tokenOf(doc: TokenDocument): ApiToken {
  return { ...(JSON.parse(doc.record) as ApiToken), lastUsedAt: doc.lastUsedAt };
}
