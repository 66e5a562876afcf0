import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ContainerUsage } from '../../shared/model/usage.ts';
import { attemptUsage, beginUsage, foldUsage } from './usage-fold.ts';

const START = 1_000_000;
const sample = (at: number, over: Partial<ContainerUsage> = {}): ContainerUsage => ({
  at: START + at,
  cpuMs: 0,
  memoryMb: 0,
  networkReceivedBytes: 0,
  networkSentBytes: 0,
  ...over,
});
const fold = (samples: readonly ContainerUsage[], startedAt: number | null = START) =>
  samples.reduce(foldUsage, beginUsage(startedAt));
const usageOf = (...given: Parameters<typeof fold>) => attemptUsage(fold(...given));

/** What grew from one sample to the next. */
const steps = fc.array(
  fc.record({
    ms: fc.integer({ min: 100, max: 10_000 }),
    cpuMs: fc.integer({ min: 0, max: 40_000 }),
    memoryMb: fc.integer({ min: 0, max: 64_000 }),
    received: fc.integer({ min: 0, max: 1e9 }),
    sent: fc.integer({ min: 0, max: 1e9 }),
  }),
  { minLength: 1, maxLength: 30 },
);

function run(of: readonly { ms: number; cpuMs: number; memoryMb: number; received: number; sent: number }[]) {
  let before = sample(0);
  return of.map(({ ms, cpuMs, memoryMb, received, sent }) => {
    before = {
      at: before.at + ms,
      cpuMs: before.cpuMs + cpuMs,
      memoryMb,
      networkReceivedBytes: before.networkReceivedBytes + received,
      networkSentBytes: before.networkSentBytes + sent,
    };
    return before;
  });
}

describe('usage of an attempt', () => {
  it('is unknown without a sample', () => {
    expect(usageOf([])).toBeNull();
  });

  it('has totals, peaks and means', () => {
    const samples = [
      sample(300, { cpuMs: 150, memoryMb: 20.26, networkReceivedBytes: 1_000 }),
      sample(2_300, { cpuMs: 4_150, memoryMb: 90, networkReceivedBytes: 5_000, networkSentBytes: 7 }),
      sample(4_300, { cpuMs: 4_350, memoryMb: 40, networkReceivedBytes: 6_000, networkSentBytes: 9 }),
    ];
    expect(usageOf(samples)).toEqual({
      samples: 3,
      cpuMs: 4_350,
      cpuMeanMillis: 1_050,
      cpuPeakMillis: 2_000,
      memoryPeakMb: 90,
      networkReceivedBytes: 6_000,
      networkSentBytes: 9,
    });
  });

  it('that was seen once is taken from its start, if that is known', () => {
    const once = [sample(400, { cpuMs: 200, memoryMb: 20.26 })];
    expect(usageOf(once)).toMatchObject({
      samples: 1,
      cpuMeanMillis: 500,
      cpuPeakMillis: 500,
      memoryPeakMb: 20.3,
    });
    expect(usageOf(once, null)).toMatchObject({ cpuMs: 200, cpuMeanMillis: 0, cpuPeakMillis: 0 });
    expect(usageOf(once, START + 3_600_000)).toMatchObject({ cpuMs: 200, cpuMeanMillis: 0 });
  });

  it('has no rate over less than a tenth of a second', () => {
    const burst = [sample(1_000, { cpuMs: 10 }), sample(1_003, { cpuMs: 50 })];
    expect(fold(burst).cpuMillis).toBeNull();
    expect(usageOf(burst)).toMatchObject({ cpuMs: 50, cpuPeakMillis: 0 });
  });

  it('survives a clock that is set back', () => {
    const samples = [
      sample(9_000, { cpuMs: 100 }),
      sample(1_000, { cpuMs: 300 }),
      sample(2_000, { cpuMs: 800 }),
    ];
    expect(usageOf(samples)).toMatchObject({
      samples: 3,
      cpuMs: 800,
      cpuMeanMillis: 500,
      cpuPeakMillis: 500,
    });
  });

  it('is true to what was used, whenever it was looked at', () => {
    fc.assert(
      fc.property(steps, (of) => {
        const samples = run(of);
        const usage = usageOf(samples);
        const last = samples.at(-1);
        const later = of.slice(1);
        expect(usage).toMatchObject({
          samples: of.length,
          cpuMs: last?.cpuMs,
          memoryPeakMb: Math.max(...of.map(({ memoryMb }) => memoryMb)),
          networkReceivedBytes: last?.networkReceivedBytes,
          networkSentBytes: last?.networkSentBytes,
        });
        const rates = (later.length > 0 ? later : of).map(({ cpuMs, ms }) => (cpuMs / ms) * 1_000);
        expect(usage?.cpuPeakMillis).toBe(Math.round(Math.max(...rates)));
        expect(usage?.cpuMeanMillis).toBeLessThanOrEqual(usage?.cpuPeakMillis ?? 0);
        expect(usage?.cpuMeanMillis).toBeGreaterThanOrEqual(Math.round(Math.min(...rates)));
      }),
    );
  });

  it('goes on over counters that begin anew', () => {
    fc.assert(
      fc.property(steps, steps, (one, two) => {
        const before = run(one);
        const end = before.at(-1)?.at ?? START;
        const after = run(two).map((each) => ({ ...each, at: each.at + end - START }));
        const [first, second] = [attemptUsage(fold(before)), attemptUsage(fold(after))];
        const whole = usageOf([...before, ...after]);
        // A counter that has already passed the old value cannot be told from one that goes on.
        fc.pre((after[0]?.cpuMs ?? 0) < (before.at(-1)?.cpuMs ?? 0));
        expect(whole?.cpuMs).toBe((first?.cpuMs ?? 0) + (second?.cpuMs ?? 0));
        expect(whole?.samples).toBe(one.length + two.length);
      }),
    );
  });
});
