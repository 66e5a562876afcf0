import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addSample, beginSeries, MAX_STEPS, roundedSeries, type UsageSeries } from './usage-series.ts';

const START = 1_700_000_000_000;
const samples = fc
  .array(
    fc.record({
      ms: fc.oneof(fc.integer({ min: 1, max: 5_000 }), fc.integer({ min: 1, max: 100_000_000 })),
      cpuMillis: fc.integer({ min: 0, max: 64_000 }),
      memoryMb: fc.integer({ min: 0, max: 64_000 }),
    }),
    { maxLength: 600, size: 'max' },
  )
  .map((list) => {
    let at = START;
    return list.map(({ ms, ...values }) => {
      at += ms;
      return { ...values, at };
    });
  });
const folded = (of: readonly { at: number; cpuMillis: number; memoryMb: number }[], stepMs = 1_000) =>
  of.reduce<UsageSeries>(addSample, beginSeries(START, stepMs));
const sum = (values: readonly number[]) => values.reduce((all, one) => all + one, 0);

describe('usage over time', () => {
  it('stays small, in order, and loses no sample', () => {
    fc.assert(
      fc.property(samples, (given) => {
        const { points, stepMs, startAt } = folded(given);
        expect(points.length).toBeLessThanOrEqual(MAX_STEPS);
        expect(startAt).toBe(START);
        expect(points.every(([step], at) => at === 0 || step > points[at - 1]![0])).toBe(true);
        expect(sum(points.map(([, count]) => count))).toBe(given.length);
        expect(sum(points.map(([, count, cpu]) => count * cpu))).toBeCloseTo(
          sum(given.map((one) => one.cpuMillis)),
          0,
        );
        expect(sum(points.map(([, count, , memory]) => count * memory))).toBeCloseTo(
          sum(given.map((one) => one.memoryMb)),
          0,
        );
        const last = given.at(-1);
        if (last) expect(points.at(-1)![0]).toBe(Math.floor((last.at - START) / stepMs));
      }),
      { numRuns: 50 },
    );
  });

  it('gives each sample to the step it is in', () => {
    const series = folded([
      { at: START + 300, cpuMillis: 100, memoryMb: 10 },
      { at: START + 900, cpuMillis: 300, memoryMb: 20 },
      { at: START + 5_000, cpuMillis: 50, memoryMb: 30 },
    ]);
    expect(series).toEqual({
      startAt: START,
      stepMs: 1_000,
      points: [
        [0, 2, 200, 15],
        [5, 1, 50, 30],
      ],
    });
  });

  it('has longer steps when it grows long', () => {
    const series = folded(
      Array.from({ length: 1_000 }, (_none, at) => ({ at: START + at * 1_000, cpuMillis: at, memoryMb: 1 })),
    );
    expect(series.stepMs).toBe(8_000);
    expect(series.points).toHaveLength(125);
    expect(series.points[0]).toEqual([0, 8, 3.5, 1]);
    const late = addSample(series, { at: START + 86_400_000, cpuMillis: 7, memoryMb: 2 });
    expect(late.points.at(-1)).toEqual([168, 1, 7, 2]);
    expect(late.stepMs).toBe(512_000);
  });

  it('bears clocks that are wrong', () => {
    const series = folded([{ at: START + 9_000, cpuMillis: 10, memoryMb: 1 }]);
    expect(addSample(series, { at: START - 50_000, cpuMillis: 30, memoryMb: 3 }).points).toEqual([
      [9, 2, 20, 2],
    ]);
    expect(addSample(series, { at: Number.MAX_SAFE_INTEGER, cpuMillis: 1, memoryMb: 1 })).toBe(series);
    expect(addSample(series, { at: Number.NaN, cpuMillis: 1, memoryMb: 1 })).toBe(series);
  });

  it('is rounded for the record', () => {
    const series = {
      startAt: START,
      stepMs: 1_000,
      points: [
        [0, 2, 10.4, 1.26],
        [1, 1, 0.5, 1234.6],
      ] as const,
    };
    expect(roundedSeries(series).points).toEqual([
      [0, 2, 10, 1.3],
      [1, 1, 1, 1235],
    ]);
  });
});
