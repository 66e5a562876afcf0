// Waiting in tests: for a condition, with a deadline, saying what was awaited. No raw sleeps elsewhere.

import { setTimeout as delay } from 'node:timers/promises';

/** Less than any test may take, so that a wait in vain says what it was for. */
const WAIT_DEADLINE_MS = 55_000;

export interface WaitOptions {
  /** What is awaited, for the message of a failure. */
  readonly what: string;
  /** Generous, for it only costs time when a test fails, and a machine can be busy. */
  readonly deadlineMs?: number;
  readonly everyMs?: number;
}

/** Polls `probe` until it returns something other than undefined, null or false, and returns that. */
export async function waitFor<T>(
  probe: () => T | Promise<T>,
  { what, deadlineMs = WAIT_DEADLINE_MS, everyMs = 20 }: WaitOptions,
): Promise<NonNullable<Exclude<T, false>>> {
  const end = performance.now() + deadlineMs;
  let last: unknown;
  for (;;) {
    try {
      const seen = await probe();
      if (seen !== undefined && seen !== null && seen !== false)
        return seen as NonNullable<Exclude<T, false>>;
      last = seen;
    } catch (error) {
      last = error;
    }
    if (performance.now() > end) {
      throw new Error(`waited ${deadlineMs} ms in vain for ${what}; last seen: ${String(last)}`);
    }
    await delay(everyMs);
  }
}
