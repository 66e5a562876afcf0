import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GRAIN_KEPT_MS, GRAIN_STEP_MS } from './history.ts';
import { MOST_POINTS, planHistory } from './history-plan.ts';

const NOW = 1_700_000_123_456;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const plan = (fromMs: number, toMs = 0, stepMs: number | null = null) =>
  planHistory({ from: NOW - fromMs, to: NOW - toMs, stepMs }, NOW);

describe('a question about the past', () => {
  it('is answered finely for the last hour and coarsely before', () => {
    expect(plan(HOUR)).toMatchObject({ grain: 'fine', stepMs: 10_000 });
    expect(plan(HOUR, HOUR / 2)).toMatchObject({ grain: 'fine', stepMs: 10_000 });
    expect(plan(2 * HOUR)).toMatchObject({ grain: 'coarse', stepMs: 300_000 });
    expect(plan(DAY, DAY - HOUR)).toMatchObject({ grain: 'coarse', stepMs: 300_000 });
  });

  it('has whole steps, as fine as they are kept', () => {
    expect(plan(HOUR, 0, 15_000).stepMs).toBe(20_000);
    expect(plan(HOUR, 0, 1_000).stepMs).toBe(10_000);
    expect(plan(DAY, 0, 10_000).stepMs).toBe(300_000);
    expect(plan(DAY, 0, 301_000).stepMs).toBe(600_000);
    expect(plan(7 * DAY).stepMs).toBe(600_000);
  });

  it('never reaches beyond what is kept, nor into the future', () => {
    expect(plan(400 * DAY).from).toBeGreaterThanOrEqual(NOW - GRAIN_KEPT_MS.coarse - 600_000);
    expect(plan(HOUR, -DAY).to).toBe(NOW);
    const past = plan(30 * DAY, 20 * DAY);
    expect(past.to - past.from).toBeLessThanOrEqual(past.stepMs);
  });

  it('is bounded, aligned and no finer than asked for, whatever is asked', () => {
    const ms = fc.integer({ min: -DAY, max: 30 * DAY });
    fc.assert(
      fc.property(ms, ms, fc.option(fc.integer({ min: 1_000, max: 8 * DAY })), (a, b, stepMs) => {
        fc.pre(a !== b);
        const { from, to, grain, stepMs: step } = plan(Math.max(a, b), Math.min(a, b), stepMs);
        expect(step % GRAIN_STEP_MS[grain]).toBe(0);
        expect(step).toBeGreaterThanOrEqual(stepMs ?? 0);
        expect(from % step).toBe(0);
        expect((to - from) / step).toBeLessThanOrEqual(MOST_POINTS);
        expect(to).toBeGreaterThanOrEqual(from);
      }),
    );
  });
});
