// Which of several workers where a task fits gets it. A policy gives each a score; the smallest wins. Pure.
//
// With c the capacity, f what is free, n what the task needs, all per dimension d:
//   best-fit  −max over the dimensions the task needs of (1 − (f_d − n_d) / c_d): the share that is used afterwards where
//             it is used most, so that what is nearly full is filled up and whole workers stay free for large tasks. A
//             worker with free GPUs counts as empty to a task that needs none, so that they are not blocked by it.
//             Source: R. Panigrahy, K. Talwar, L. Uyeda, U. Wieder, "Heuristics for Vector Bin Packing", 2011; the
//             dominant dimension as in A. Ghodsi et al., "Dominant Resource Fairness", 2011.
//   spread    max over all dimensions of (1 − (f_d − n_d) / c_d): the same share, where the least is best (worst fit), so
//             that the load, and the loss when a machine dies, is even.
//   round-robin has no score: the next in turn that has room. See candidates.ts.

import { DIMENSIONS, type Resources } from '../../shared/model/resources.ts';
import type { PolicyName } from '../../shared/model/scheduling.ts';

export type Score = (need: Resources, free: Resources, capacity: Resources) => number;

/** Null: whoever is next. */
export function scoreOf(policy: PolicyName): Score | null {
  switch (policy) {
    case 'best-fit':
      return bestFit;
    case 'spread':
      return spread;
    default:
      return null;
  }
}

function bestFit(need: Resources, free: Resources, capacity: Resources): number {
  if (need.gpus === 0 && free.gpus > 0) return 1;
  let most = 0;
  for (const dimension of DIMENSIONS) {
    if (need[dimension] > 0) most = Math.max(most, usedAfter(need, free, capacity, dimension));
  }
  return -most;
}

function spread(need: Resources, free: Resources, capacity: Resources): number {
  let most = 0;
  for (const dimension of DIMENSIONS) most = Math.max(most, usedAfter(need, free, capacity, dimension));
  return most;
}

function usedAfter(
  need: Resources,
  free: Resources,
  capacity: Resources,
  dimension: (typeof DIMENSIONS)[number],
): number {
  const whole = capacity[dimension];
  return whole > 0 ? 1 - (free[dimension] - need[dimension]) / whole : 0;
}
