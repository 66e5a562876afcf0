// The record of who did what. Guarantees that every adapter proves in test/conformance/store:
// - Only appended to: there is no call that changes an entry. What was appended once is not appended again.
// - Lists are in order of id, newest first, whatever they are filtered by, and cost no more than what they give.

import type { AuditAction, AuditEntry } from '../model/audit.ts';

export interface AuditFilter {
  /** Id of a user. */
  readonly actorId?: string | undefined;
  /** Any of these; absent: all. */
  readonly actions?: readonly AuditAction[] | undefined;
  readonly target?: string | undefined;
  /** Milliseconds since the epoch: `from ≤ at < to`. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

export interface AuditStore {
  /** Those whose id is there already are left as they are. */
  append(entries: readonly AuditEntry[]): Promise<void>;
  /** `before` is the id of the last one of the page before. */
  list(filter: AuditFilter, page: { limit: number; before?: string | undefined }): Promise<AuditEntry[]>;
  /** Drops the oldest of those with `at < before`, at most `limit`. Returns how many there were. */
  prune(before: number, limit: number): Promise<number>;
}
