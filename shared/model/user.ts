// Accounts and their long-lived API tokens. Secrets are kept as hashes only.

export const ROLES = ['admin', 'user'] as const;
export type Role = (typeof ROLES)[number];

export interface User {
  readonly id: string;
  /** As the user wrote it; unique without regard to case. */
  readonly username: string;
  /** scrypt hash with its parameters and salt in one string. */
  readonly passwordHash: string;
  readonly role: Role;
  readonly createdAt: number;
}

export interface ApiToken {
  readonly id: string;
  readonly userId: string;
  readonly name: string;
  /** SHA-256 of the token, hex. The token itself is shown once and never kept. */
  readonly hash: string;
  readonly createdAt: number;
  readonly lastUsedAt: number | null;
}

/** Who is calling: what authentication found out. */
export interface Principal {
  readonly userId: string;
  readonly username: string;
  readonly role: Role;
}

/** The key under which a username is unique. */
export function usernameKey(username: string): string {
  return username.normalize('NFKC').toLowerCase();
}
