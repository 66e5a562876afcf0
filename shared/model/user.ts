// Accounts and their long-lived API tokens. Secrets are kept as hashes only.

import type { EndedSignIn } from './sign-ins.ts';

/**
 * `admin`: sees and does everything. `user`: sees the cluster and own tasks, and does what it wants with these. `viewer`: sees
 * the cluster and everybody's tasks, and changes nothing but its own password and API tokens.
 */
export const ROLES = ['admin', 'user', 'viewer'] as const;
export type Role = (typeof ROLES)[number];

/** Whether tasks of others are shown. */
export function seesAllTasks({ role }: { readonly role: Role }): boolean {
  return role === 'admin' || role === 'viewer';
}

/** What a user may have at most, and ask at most; null: no limit of its own. */
export interface Quota {
  /** Tasks that have not ended, waiting ones included. */
  readonly unfinishedTasks: number | null;
  /** MB of uploads kept. */
  readonly uploadStorageMb: number | null;
  /** What assigned and running tasks may hold at a time; more wait until some have ended. */
  readonly cpuMillis: number | null;
  readonly memoryMb: number | null;
  readonly gpus: number | null;
  /** Requests a second, averaged over a window; 0: any number; null: what the settings of the API say. */
  readonly rateLimitReads: number | null;
  readonly rateLimitWrites: number | null;
}

/** The part of it that the scheduler keeps. */
export type ResourceQuota = Pick<Quota, 'cpuMillis' | 'memoryMb' | 'gpus'>;

export const NO_QUOTA: Quota = {
  unfinishedTasks: null,
  uploadStorageMb: null,
  cpuMillis: null,
  memoryMb: null,
  gpus: null,
  rateLimitReads: null,
  rateLimitWrites: null,
};

/** Null when it limits nothing that tasks hold. */
export function limitsOf({ cpuMillis, memoryMb, gpus }: Quota): ResourceQuota | null {
  return cpuMillis === null && memoryMb === null && gpus === null ? null : { cpuMillis, memoryMb, gpus };
}

export interface User {
  readonly id: string;
  /** As the user wrote it; unique without regard to case. */
  readonly username: string;
  /** scrypt hash with its parameters and salt in one string. */
  readonly passwordHash: string;
  readonly role: Role;
  readonly createdAt: number;
  /** Cannot sign in, and nothing signed in before is good any more. */
  readonly disabled: boolean;
  readonly quota: Quota;
  /**
   * Grows when all sign-ins are to end: one that was made in an earlier epoch is refused. A number and no time, because
   * the clocks of two machines differ and a token tells whole seconds. API tokens have nothing to do with it.
   */
  readonly signInEpoch: number;
  /** Those of this epoch that were ended one by one; see sign-ins.ts. */
  readonly endedSignIns: readonly EndedSignIn[];
  /** Of the record, for compare-and-set. */
  readonly revision: number;
}

/** A user who has just been made. */
export function newUser(of: Pick<User, 'id' | 'username' | 'passwordHash' | 'role' | 'createdAt'>): User {
  return { ...of, disabled: false, quota: NO_QUOTA, signInEpoch: 0, endedSignIns: [], revision: 0 };
}

/** A kept record, which may be of a release that did not know all fields. */
export function knownUser(kept: Partial<User>): User {
  const quota = { ...NO_QUOTA, ...kept.quota };
  return { disabled: false, signInEpoch: 0, endedSignIns: [], revision: 0, ...kept, quota } as User;
}

export function isActiveAdmin(user: Pick<User, 'role' | 'disabled'>): boolean {
  return user.role === 'admin' && !user.disabled;
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
