// How long to wait before a process that died is started again. Pure.

export interface BackOffPolicy {
  readonly firstMs: number;
  readonly maxMs: number;
  /** A process that lived this long was well: the count begins anew. */
  readonly resetAfterMs: number;
}

export const RESTART_POLICY: BackOffPolicy = { firstMs: 1_000, maxMs: 30_000, resetAfterMs: 60_000 };

/** `lastMs` is the wait before the life that just ended, 0 for the first life. */
export function nextWait(lastMs: number, livedMs: number, policy: BackOffPolicy): number {
  if (lastMs === 0 || livedMs >= policy.resetAfterMs) return policy.firstMs;
  return Math.min(Math.max(lastMs * 2, policy.firstMs), policy.maxMs);
}
