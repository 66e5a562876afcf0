// A call that was refused because its user makes too many is made again when the API said it may be. Nothing was done
// by such a call, so any may be repeated; what is refused for another reason is not waited for here.

import { ApiError } from './errors.ts';

/** Two windows of the API and some more: whoever is refused for longer has others on the same account. */
export const RATE_PATIENCE_MS = 60_000;

/** Seconds to wait before the call is made again; null for any other error. */
export function rateLimitWait(error: unknown): number | null {
  if (!(error instanceof ApiError) || error.status !== 429 || error.code !== 'rate_limited') return null;
  // Other limits of that code are not lifted by time alone.
  if (!error.details.some(({ field }) => field === 'requests')) return null;
  return Math.max(1, error.retryAfterSeconds ?? 1);
}
