import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { extremes, type PlotData, type PlotValue, plotWords, stacked, thinned } from './time-plot-data.ts';

const plot = (...rows: PlotValue[][]): PlotData => ({
  times: (rows[0] ?? []).map((_, at) => at),
  series: rows.map((values, index) => ({ label: `s${index}`, tone: 1, values })),
});

const anyValues = fc.array(fc.option(fc.integer({ min: -1_000, max: 1_000 })), {
  minLength: 1,
  maxLength: 3_000,
});

describe('a plot in words', () => {
  it('tells newest, least and most of each series', () => {
    expect(plotWords(plot([3, null, 1, 2], [null, null, null, null]), (value) => `${value}%`)).toBe(
      's0: newest 2%, least 1%, most 3%. s1: not measured.',
    );
  });

  it('does not take an older value for the newest', () => {
    expect(extremes([5, null])).toEqual({ newest: null, least: 5, most: 5 });
    expect(plotWords(plot([5, null]), String)).toContain('newest not measured');
    expect(extremes([])).toBeNull();
  });
});

describe('stacking', () => {
  it('puts each series on those before it and keeps gaps', () => {
    const { series } = plot([1, null, 3], [10, 20, null], [100, 200, 300]);
    expect(stacked(series)).toEqual([
      [1, null, 3],
      [11, 20, null],
      [111, 220, 303],
    ]);
  });
});

describe('thinning', () => {
  it('leaves few points alone', () => {
    const data = plot([1, 2, 3]);
    expect(thinned(data, 3)).toBe(data);
  });

  it('keeps extremes, ends, gaps and the order, and no more points than asked for', () => {
    fc.assert(
      fc.property(anyValues, fc.integer({ min: 12, max: 400 }), (values, most) => {
        const data = plot(values);
        const { times, series } = thinned(data, most);
        const kept = series[0]?.values ?? [];
        expect(times.length).toBeLessThanOrEqual(
          Math.max(values.length < most ? values.length : 0, most + 2),
        );
        expect(times[0]).toBe(0);
        expect(times.at(-1)).toBe(values.length - 1);
        expect(times.every((at, index) => index === 0 || at > (times[index - 1] as number))).toBe(true);
        expect(kept).toEqual(times.map((at) => values[at]));
        expect(extremes(kept)).toEqual(extremes(values));
        expect(kept.includes(null)).toBe(values.includes(null));
      }),
    );
  });
});
