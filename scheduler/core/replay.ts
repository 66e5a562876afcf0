// Decides again what was decided, from the kept snapshots, and says where the outcome differs. Pure.

import type { Decision } from './decision-reader.ts';
import { plan } from './plan.ts';
import { PLAN_VERSION } from './plan-version.ts';
import type { Placement, Plan, Preemption } from './snapshot.ts';

export interface Difference {
  readonly term: number;
  readonly pass: number;
  readonly at: number;
  /** In words. */
  readonly what: string;
}

/** `other_rules`: decided by rules of planning that are not these, so there is nothing to compare. */
export type Verdict = 'identical' | 'other_rules' | Difference;

export interface Replayed {
  readonly verdict: Verdict;
  /** As these rules make it. */
  readonly plan: Plan;
}

export function replayDecision(decision: Decision): Replayed {
  const { term, pass, now, seed, snapshot, made, rulesVersion } = decision;
  const again = plan(snapshot, now, seed);
  if (rulesVersion !== PLAN_VERSION) return { verdict: 'other_rules', plan: again };
  const what =
    firstDifference('placement', made.placements, again.placements, placementWords) ??
    firstDifference('preemption', made.preemptions, again.preemptions, preemptionWords);
  return { verdict: what === null ? 'identical' : { term, pass, at: now, what }, plan: again };
}

function firstDifference<T>(
  kind: string,
  kept: readonly T[],
  again: readonly T[],
  words: (one: T) => string,
): string | null {
  for (let n = 0; n < Math.max(kept.length, again.length); n += 1) {
    const [was, is] = [kept[n], again[n]].map((one) => (one === undefined ? 'nothing more' : words(one)));
    if (was !== is) return `${kind} ${n + 1} of ${kept.length} was: ${was}; decided again it is: ${is}`;
  }
  return null;
}

function placementWords({ taskId, workerId, gpuIds }: Placement): string {
  return `${taskId} on ${workerId}${gpuIds.length > 0 ? ` with ${gpuIds.join(', ')}` : ''}`;
}

function preemptionWords({ taskId, attempt, workerId, forTask }: Preemption): string {
  return `${taskId} (attempt ${attempt}) leaves ${workerId} for ${forTask}`;
}
