import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CLUSTER_SERIES,
  GRAIN_STEP_MS,
  HISTORY_METRICS,
  type HistoryPoint,
  METRIC_UNITS,
  WORKER_METRICS,
} from './history.ts';
import { bySteps, foldToCoarse, meanValues, stepStart } from './history-fold.ts';
import { WORKER_ID_PATTERN } from './worker.ts';

const COARSE = GRAIN_STEP_MS.coarse;
const point = (at: number, values: HistoryPoint['values']): HistoryPoint => ({
  series: 'w1',
  grain: 'fine',
  at,
  values,
});
const values = fc.dictionary(
  fc.constantFrom(...HISTORY_METRICS.slice(0, 3)),
  fc.double({ min: 0, max: 1e9, noNaN: true }),
) as fc.Arbitrary<HistoryPoint['values']>;
const points = fc.array(
  fc.tuple(fc.integer({ min: 0, max: 500 }), values).map(([n, of]) => point(n * GRAIN_STEP_MS.fine, of)),
);

describe('history', () => {
  it('keeps names apart and has a unit for each metric', () => {
    expect(WORKER_ID_PATTERN.test(CLUSTER_SERIES)).toBe(false);
    expect(COARSE % GRAIN_STEP_MS.fine).toBe(0);
    expect(Object.keys(METRIC_UNITS)).toEqual([...HISTORY_METRICS]);
    for (const metric of WORKER_METRICS) expect(HISTORY_METRICS).toContain(metric);
  });

  it('takes means over the points that have a metric', () => {
    expect(meanValues([{ running: 1, queue_depth: 4 }, { running: 3 }, {}])).toEqual({
      running: 2,
      queue_depth: 4,
    });
    expect(meanValues([{}, {}])).toEqual({});
  });

  it('folds fine points into whole coarse steps', () => {
    const fine = [
      point(COARSE - 1, { running: 1 }),
      point(COARSE, { running: 2 }),
      point(COARSE + 10, { running: 4 }),
    ];
    expect(foldToCoarse(fine)).toEqual([
      { series: 'w1', grain: 'coarse', at: 0, values: { running: 1 } },
      { series: 'w1', grain: 'coarse', at: COARSE, values: { running: 3 } },
    ]);
    expect(foldToCoarse([])).toEqual([]);
  });

  it('loses no step, makes up none, and stays between the least and the most', () => {
    fc.assert(
      fc.property(points, fc.constantFrom(20_000, 60_000, COARSE), (all, stepMs) => {
        const steps = bySteps(all, stepMs);
        const starts = [...new Set(all.map(({ at }) => stepStart(at, stepMs)))].sort((a, b) => a - b);
        expect(steps.map(({ at }) => at)).toEqual(starts);
        for (const { at, values: mean } of steps) {
          const within = all.filter((one) => stepStart(one.at, stepMs) === at);
          for (const metric of HISTORY_METRICS) {
            const seen = within.flatMap((one) => one.values[metric] ?? []);
            const of = mean[metric];
            expect(of === undefined).toBe(seen.length === 0);
            if (of === undefined) continue;
            const slack = 1e-9 * (1 + Math.max(...seen));
            expect(of).toBeGreaterThanOrEqual(Math.min(...seen) - slack);
            expect(of).toBeLessThanOrEqual(Math.max(...seen) + slack);
          }
        }
      }),
    );
  });
});
