// Points of history put together into longer steps, by mean. Pure.

import { GRAIN_STEP_MS, HISTORY_METRICS, type HistoryPoint, type HistoryValues } from './history.ts';

/** Start of the step that a moment lies in. */
export function stepStart(at: number, stepMs: number): number {
  return Math.floor(at / stepMs) * stepMs;
}

/** Of each metric the mean over the points that have it; a metric that none has is not there. */
export function meanValues(all: readonly HistoryValues[]): HistoryValues {
  const mean: Partial<Record<(typeof HISTORY_METRICS)[number], number>> = {};
  for (const metric of HISTORY_METRICS) {
    const values = all.map((values) => values[metric]).filter((value) => value !== undefined);
    if (values.length > 0) mean[metric] = values.reduce((sum, value) => sum + value, 0) / values.length;
  }
  return mean;
}

/** Groups of points by the step they lie in, in order of time; steps without points are not there. */
export function bySteps(
  points: readonly HistoryPoint[],
  stepMs: number,
): { readonly at: number; readonly values: HistoryValues }[] {
  const steps = new Map<number, HistoryValues[]>();
  for (const { at, values } of points) {
    const start = stepStart(at, stepMs);
    const step = steps.get(start);
    if (step) step.push(values);
    else steps.set(start, [values]);
  }
  return [...steps]
    .sort(([a], [b]) => a - b)
    .map(([at, values]) => ({
      at,
      values: values.length === 1 && values[0] ? values[0] : meanValues(values),
    }));
}

/** Coarse points of fine ones of the same series. */
export function foldToCoarse(fine: readonly HistoryPoint[]): HistoryPoint[] {
  const series = fine[0]?.series;
  if (series === undefined) return [];
  return bySteps(fine, GRAIN_STEP_MS.coarse).map(({ at, values }) => ({
    series,
    grain: 'coarse',
    at,
    values,
  }));
}
