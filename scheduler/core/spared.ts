// Who has had to leave for others often enough. Without a bound a long task of low priority would begin anew for ever in a
// cluster that always has something more urgent. Pure.

import type { Task } from '../../shared/model/task.ts';

/** So often within `WITHIN_MS`; then it is left in peace until the first of them is so long ago. */
const MOST_PREEMPTED = 3;
export const WITHIN_MS = 3_600_000;

/** Until when no other task may take its place, by its record; null when one may. */
export function sparedUntil({ attempts }: Pick<Task, 'attempts'>, now: number): number | null {
  const times = attempts.flatMap(({ eviction }) =>
    eviction?.cause === 'preempted' && eviction.requestedAt > now - WITHIN_MS ? [eviction.requestedAt] : [],
  );
  const first = times.sort((a, b) => a - b).at(-MOST_PREEMPTED);
  return times.length < MOST_PREEMPTED || first === undefined ? null : first + WITHIN_MS;
}
