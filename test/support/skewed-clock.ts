// The clock of a machine that somebody has set wrong.

import type { Clock } from '../../shared/ports/clock.ts';

export const HOUR_MS = 3_600_000;

export function skewedClock(aheadMs: number): Clock {
  return { now: () => Date.now() + aheadMs, monotonic: () => performance.now() };
}
