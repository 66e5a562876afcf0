// When a delivery that failed is tried again. Pure: chance and time are handed in.

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/**
 * After the first failure, the second, … Short at first, for a receiver that restarts; then long enough to outlast
 * a night. 20 hours in all.
 */
export const RETRY_DELAYS_MS: readonly number[] = [
  5 * SECOND,
  30 * SECOND,
  2 * MINUTE,
  10 * MINUTE,
  30 * MINUTE,
  2 * HOUR,
  6 * HOUR,
  12 * HOUR,
];

/** Each delay is up to so much shorter or longer, so that what failed together does not come back together. */
const JITTER = 0.2;
const MAX_RETRY_AFTER_MS = 24 * HOUR;

/**
 * Milliseconds to wait after so many failures, or null when it was the last try.
 * @param failures 1 or more
 * @param chance in [0, 1)
 */
export function retryDelayMs(failures: number, chance: number): number | null {
  const delay = RETRY_DELAYS_MS[failures - 1];
  return delay === undefined ? null : Math.round(delay * (1 - JITTER + 2 * JITTER * chance));
}

/** What a `Retry-After` header asks for (seconds or a date, RFC 9110), at most a day; 0 when it asks for nothing. */
export function retryAfterMs(header: string | undefined, now: number): number {
  const text = header?.trim() ?? '';
  const asked = /^\d+$/.test(text) ? Number(text) * SECOND : Date.parse(text) - now;
  return Number.isNaN(asked) ? 0 : Math.min(Math.max(asked, 0), MAX_RETRY_AFTER_MS);
}
