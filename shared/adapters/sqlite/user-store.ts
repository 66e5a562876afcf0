// Accounts and API tokens in SQLite.

import { type ApiToken, type Role, type User, usernameKey } from '../../model/user.ts';
import type { UserStore } from '../../ports/store.ts';
import { type Connection, guard, isConstraint } from './connection.ts';
import { Statements } from './statements.ts';

interface UserRow {
  id: string;
  username: string;
  password_hash: string;
  role: Role;
  created_at: number;
}

interface TokenRow {
  id: string;
  user_id: string;
  name: string;
  hash: string;
  created_at: number;
  last_used_at: number | null;
}

const USER = 'id, username, password_hash, role, created_at';
const TOKEN = 'id, user_id, name, hash, created_at, last_used_at';

export class SqliteUserStore implements UserStore {
  readonly #sql: Statements;

  constructor(db: Connection) {
    this.#sql = new Statements(db);
  }

  async insert(user: User): Promise<boolean> {
    return guard(() => {
      try {
        this.#sql
          .of(`INSERT INTO users (${USER}, username_key) VALUES (?, ?, ?, ?, ?, ?)`)
          .run(
            user.id,
            user.username,
            user.passwordHash,
            user.role,
            user.createdAt,
            usernameKey(user.username),
          );
        return true;
      } catch (error) {
        if (isConstraint(error)) return false;
        throw error;
      }
    });
  }

  async get(id: string): Promise<User | null> {
    return guard(() => toUser(this.#sql.of(`SELECT ${USER} FROM users WHERE id = ?`).get(id)));
  }

  async findByUsername(username: string): Promise<User | null> {
    return guard(() =>
      toUser(this.#sql.of(`SELECT ${USER} FROM users WHERE username_key = ?`).get(usernameKey(username))),
    );
  }

  async claimFirstAdmin(): Promise<boolean> {
    return guard(
      () =>
        this.#sql
          .of("INSERT INTO counters (name, value) VALUES ('first_admin', 1) ON CONFLICT DO NOTHING")
          .run().changes === 1,
    );
  }

  async insertToken(token: ApiToken): Promise<void> {
    guard(() => {
      this.#sql
        .of(`INSERT INTO api_tokens (${TOKEN}) VALUES (?, ?, ?, ?, ?, ?)`)
        .run(token.id, token.userId, token.name, token.hash, token.createdAt, token.lastUsedAt);
    });
  }

  async findTokenByHash(hash: string): Promise<ApiToken | null> {
    return guard(() => {
      const row = this.#sql.of(`SELECT ${TOKEN} FROM api_tokens WHERE hash = ?`).get(hash) as
        | TokenRow
        | undefined;
      return row ? toToken(row) : null;
    });
  }

  async listTokens(userId: string): Promise<ApiToken[]> {
    return guard(() => {
      const sql = `SELECT ${TOKEN} FROM api_tokens WHERE user_id = ? ORDER BY created_at, id`;
      return (this.#sql.of(sql).all(userId) as TokenRow[]).map(toToken);
    });
  }

  async touchToken(id: string, lastUsedAt: number): Promise<void> {
    guard(() => {
      this.#sql.of('UPDATE api_tokens SET last_used_at = ? WHERE id = ?').run(lastUsedAt, id);
    });
  }

  async removeToken(userId: string, id: string): Promise<boolean> {
    return guard(
      () => this.#sql.of('DELETE FROM api_tokens WHERE id = ? AND user_id = ?').run(id, userId).changes === 1,
    );
  }
}

function toUser(row: unknown): User | null {
  if (!row) return null;
  const { id, username, password_hash, role, created_at } = row as UserRow;
  return { id, username, passwordHash: password_hash, role, createdAt: created_at };
}

function toToken(row: TokenRow): ApiToken {
  return {
    id: row.id,
    userId: row.user_id,
    name: row.name,
    hash: row.hash,
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at,
  };
}
