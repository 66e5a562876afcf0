import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HistoryMetric } from '../../shared/model/history.ts';
import { timeRange } from './time-ranges.ts';
import { extended, type Moment, NO_TIMELINE, plotOf, timelineOf, withGaps } from './timeline.ts';

const metric = (name: HistoryMetric, ...points: [number, number][]) => ({
  metric: name,
  unit: '',
  points: points.map(([at, value]) => [new Date(at * 1000).toISOString(), value] as [string, number]),
});
const push = (at: number, running: number): Moment => ({ at, values: { running } });
const steps = { stepS: 10, spanS: 100 };

describe('a timeline', () => {
  it('brings the metrics of a reply together by their times', () => {
    const { moments } = timelineOf({
      metrics: [metric('running', [10, 1], [20, 2]), metric('queue_depth', [20, 5], [30, 6])],
    });
    expect(moments).toEqual([
      { at: 10, values: { running: 1 } },
      { at: 20, values: { running: 2, queue_depth: 5 } },
      { at: 30, values: { queue_depth: 6 } },
    ]);
  });

  it('averages what is pushed into steps and shows the newest as it came', () => {
    let line = NO_TIMELINE;
    for (const [at, value] of [
      [10, 1],
      [14, 3],
      [19, 5],
      [20, 100],
      [21, 7],
    ] as const) {
      line = extended(line, push(at, value), steps);
    }
    expect(withGaps(line, 50)).toEqual([push(10, 3), push(21, 7)]);
  });

  it('keeps what was pushed since when the kept points are asked for anew', () => {
    let line = NO_TIMELINE;
    for (const at of [10, 20, 30, 31]) line = extended(line, push(at, at), steps);
    const again = timelineOf({ metrics: [metric('running', [0, 9], [20, 9])] }, line);
    expect(withGaps(again, 50)).toEqual([push(0, 9), push(20, 9), push(31, 31)]);
  });

  it('has a hole where nothing came', () => {
    const line = timelineOf({ metrics: [metric('running', [10, 1], [20, 2], [100, 3])] });
    const data = plotOf(withGaps(line, 25), [{ label: 'running', tone: 1, of: ({ running }) => running }]);
    expect(data.times).toEqual([10, 20, 32.5, 100]);
    expect(data.series[0]?.values).toEqual([1, 2, null, 3]);
  });

  it('stays in order and within its span, whatever is pushed', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 2_000 })), (times) => {
        let line = NO_TIMELINE;
        for (const at of times) line = extended(line, push(at, 1), steps);
        const all = withGaps(line, Number.POSITIVE_INFINITY);
        const newest = Math.max(...times);
        expect(all.every(({ at }, index) => index === 0 || at > (all[index - 1] as Moment).at)).toBe(true);
        if (times.length > 0) expect(all.at(-1)?.at).toBe(newest);
        expect(line.open.length).toBeLessThanOrEqual(steps.stepS);
        expect(line.moments.every(({ at }) => at >= newest - steps.spanS - 2 * steps.stepS)).toBe(true);
      }),
    );
  });
});

describe('a range', () => {
  it('comes from the address, and is the shortest when that says nothing known', () => {
    expect(timeRange('24h').spanS).toBe(86_400);
    expect(timeRange('1y').name).toBe('15m');
    expect(timeRange(null).name).toBe('15m');
  });
});
