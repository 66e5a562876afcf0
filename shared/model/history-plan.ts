// Which points answer a question about the past: the grain by age, the step by what is kept and how much is asked. Pure.

import { GRAIN_KEPT_MS, GRAIN_STEP_MS, type Grain } from './history.ts';
import { stepStart } from './history-fold.ts';

/** Of one metric in one answer. */
export const MOST_POINTS = 2_000;

export interface HistoryRange {
  /** `from ≤ at < to`, milliseconds since the epoch. */
  readonly from: number;
  readonly to: number;
}

export interface HistoryPlan extends HistoryRange {
  readonly grain: Grain;
  /** Points are averaged into steps of this length: a whole multiple of the grain's. */
  readonly stepMs: number;
}

/** `stepMs` null: as fine as is kept. What is wished too fine, or would be too many points, becomes coarser. */
export function planHistory(
  asked: HistoryRange & { readonly stepMs: number | null },
  now: number,
): HistoryPlan {
  const from = Math.max(asked.from, now - GRAIN_KEPT_MS.coarse);
  const to = Math.min(asked.to, now);
  // One step of grace, so that "the last hour" is answered finely.
  const grain = from >= now - GRAIN_KEPT_MS.fine - GRAIN_STEP_MS.fine ? 'fine' : 'coarse';
  const unit = GRAIN_STEP_MS[grain];
  // One point less, for `from` moves back to the start of its step.
  const least = Math.max(asked.stepMs ?? unit, (to - from) / (MOST_POINTS - 1), unit);
  const stepMs = Math.ceil(least / unit) * unit;
  return { grain, stepMs, from: stepStart(from, stepMs), to: Math.max(to, from) };
}
