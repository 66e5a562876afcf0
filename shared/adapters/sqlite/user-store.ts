// Accounts and API tokens in SQLite. Holds hashes only; it must never see a password or a token itself.

import {
  type ApiToken,
  isActiveAdmin,
  knownUser,
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
import type { Connection } from './connection.ts';

interface TokenRow {
  record: string;
  last_used_at: number | null;
}

export class SqliteUserStore implements UserStore {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  insert(user: User): Promise<boolean> {
    const db = this.#connection;
    return db.write(() => {
      const key = usernameKey(user.username);
      if (db.first('SELECT 1 FROM users WHERE username_key = ?', [key])) return false;
      db.run(
        'INSERT INTO users (id, username_key, record, revision, active_admin, resource_quota) VALUES (?, ?, ?, ?, ?, ?)',
        [user.id, key, JSON.stringify(user), user.revision, Number(isActiveAdmin(user)), limitText(user)],
      );
      return true;
    });
  }

  get(id: string): Promise<User | null> {
    return this.#find('id = ?', id);
  }

  findByUsername(username: string): Promise<User | null> {
    return this.#find('username_key = ?', usernameKey(username));
  }

  commit(next: User): Promise<UserCommit> {
    const db = this.#connection;
    return db.write<UserCommit>(() => {
      const isAdmin = isActiveAdmin(next);
      const before = db.first<{ active_admin: number }>(
        'SELECT active_admin FROM users WHERE id = ? AND revision = ?',
        [next.id, next.revision - 1],
      );
      if (before === null) return 'stale';
      if (before.active_admin === 1 && !isAdmin) {
        const other = db.first('SELECT 1 FROM users WHERE active_admin = 1 AND id <> ? LIMIT 1', [next.id]);
        if (other === null) return 'last_admin';
      }
      db.run('UPDATE users SET record = ?, revision = ?, active_admin = ?, resource_quota = ? WHERE id = ?', [
        JSON.stringify(next),
        next.revision,
        Number(isAdmin),
        limitText(next),
        next.id,
      ]);
      return 'written';
    });
  }

  list(
    { text }: { text?: string | undefined },
    { limit, after }: { limit: number; after?: string | undefined },
  ): Promise<UserPage> {
    const db = this.#connection;
    return db.read(() => {
      const rows = db.all<{ record: string }>(
        `SELECT record FROM users WHERE username_key > ? AND instr(username_key, ?) > 0
         ORDER BY username_key LIMIT ?`,
        [usernameKey(after ?? ''), usernameKey(text ?? ''), limit + 1],
      );
      const users = rows.slice(0, limit).map(({ record }) => userOf(record));
      return { users, next: rows.length > limit ? (users.at(-1)?.username ?? null) : null };
    });
  }

  resourceQuotas(): Promise<ReadonlyMap<string, ResourceQuota>> {
    const db = this.#connection;
    return db.read(() => {
      const rows = db.all<{ id: string; resource_quota: string }>(
        'SELECT id, resource_quota FROM users INDEXED BY users_limited WHERE resource_quota IS NOT NULL',
      );
      return new Map(rows.map((row) => [row.id, JSON.parse(row.resource_quota) as ResourceQuota]));
    });
  }

  claimFirstAdmin({ userId, at }: AdminClaim): Promise<boolean> {
    const db = this.#connection;
    return db.write(() => {
      db.run(
        `DELETE FROM admin_claim WHERE at < ? AND NOT EXISTS (SELECT 1 FROM users WHERE id = admin_claim.user_id)`,
        [at - ADMIN_CLAIM_MS],
      );
      db.run('INSERT OR IGNORE INTO admin_claim VALUES (1, ?, ?)', [userId, at]);
      return db.first('SELECT 1 FROM admin_claim WHERE user_id = ?', [userId]) !== null;
    });
  }

  async insertToken(token: ApiToken): Promise<void> {
    const db = this.#connection;
    await db.write(() =>
      db.run('INSERT INTO tokens VALUES (?, ?, ?, ?, ?, ?)', [
        token.id,
        token.userId,
        token.hash,
        token.createdAt,
        token.lastUsedAt,
        JSON.stringify(token),
      ]),
    );
  }

  findTokenByHash(hash: string): Promise<ApiToken | null> {
    const db = this.#connection;
    return db.read(() => {
      const row = db.first<TokenRow>('SELECT record, last_used_at FROM tokens WHERE hash = ?', [hash]);
      return row && tokenOf(row);
    });
  }

  listTokens(userId: string): Promise<ApiToken[]> {
    const db = this.#connection;
    return db.read(() =>
      db
        .all<TokenRow>('SELECT record, last_used_at FROM tokens WHERE user_id = ? ORDER BY created_at, id', [
          userId,
        ])
        .map(tokenOf),
    );
  }

  async touchToken(id: string, lastUsedAt: number): Promise<void> {
    const db = this.#connection;
    await db.write(() => db.run('UPDATE tokens SET last_used_at = ? WHERE id = ?', [lastUsedAt, id]));
  }

  removeToken(userId: string, id: string): Promise<boolean> {
    const db = this.#connection;
    return db.write(() => db.run('DELETE FROM tokens WHERE id = ? AND user_id = ?', [id, userId]) === 1);
  }

  #find(condition: string, value: string): Promise<User | null> {
    const db = this.#connection;
    return db.read(() => {
      const row = db.first<{ record: string }>(`SELECT record FROM users WHERE ${condition}`, [value]);
      return row && userOf(row.record);
    });
  }
}

function limitText(user: User): string | null {
  const limits = limitsOf(user.quota);
  return limits && JSON.stringify(limits);
}

function userOf(record: string): User {
  return knownUser(JSON.parse(record) as Partial<User>);
}

function tokenOf(row: TokenRow): ApiToken {
  return { ...(JSON.parse(row.record) as ApiToken), lastUsedAt: row.last_used_at };
}
