// When a container that an earlier life started really began to run. Pure; all times by the cluster's clock.

import type { Attempt } from '../../shared/model/task.ts';

/**
 * The engine wrote `startedAt` by its machine's clock, which may have been set since, by NTP or after a reboot. The record
 * knows no moment so exactly, but it knows that it lies between the placement and the word that it runs.
 */
export function trueStart(
  startedAt: number,
  placed: Pick<Attempt, 'assignedAt' | 'startedAt'> | null,
  now: number,
): number {
  const latest = Math.min(placed?.startedAt ?? now, now);
  return Math.min(Math.max(startedAt, placed?.assignedAt ?? 0), latest);
}
