// The smallest change with which a waiting task could start now, as a sentence. Pure.

import type { Resources } from '../../shared/model/resources.ts';
import { describeAmount, joinWords } from './amounts.ts';
import { distance, judge, type Verdict } from './fit.ts';

/** A container below this does not start. */
const LEAST_MEMORY_MB = 6;

/**
 * In this order: another worker than the one asked for, a worker in maintenance that has room, a smaller request.
 * Null when none of these would do.
 */
export function suggestChange(
  need: Resources,
  target: string | null,
  verdicts: readonly Verdict[],
): string | null {
  if (target !== null) {
    const other = verdicts.find(({ worker }) => judge(need, null, worker).fitsNow);
    if (other) return `It could start now on ${other.worker.id} if it were not tied to ${target}.`;
  }
  const closed = verdicts.find(
    ({ excludedBy, missing }) =>
      (excludedBy === 'cordoned' || excludedBy === 'draining') && missing.length === 0,
  );
  if (closed) return `It could start now on ${closed.worker.id} if that were uncordoned.`;
  const smaller = smallestCut(verdicts);
  if (!smaller) return null;
  const wanted = smaller.missing.map(({ dimension, available }) => describeAmount(dimension, available));
  return `With ${joinWords(wanted)} it could start now on ${smaller.worker.id}.`;
}

/** The open worker for which the request would have to shrink in the fewest dimensions, then by the least. */
function smallestCut(verdicts: readonly Verdict[]): Verdict | null {
  const open = verdicts.filter((verdict) => verdict.excludedBy === null && isUsable(verdict));
  return open.reduce<Verdict | null>(
    (best, one) => (best && distance(best.missing) <= distance(one.missing) ? best : one),
    null,
  );
}

/** A task cannot do without cpu and memory, and one that asks for a GPU hardly runs without any. */
function isUsable({ missing }: Verdict): boolean {
  return missing.every(({ dimension, available }) =>
    dimension === 'memoryMb' ? available >= LEAST_MEMORY_MB : available > 0,
  );
}
