import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NO_DEMAND } from '../../../shared/model/labels.ts';
import { Dice } from './dice.ts';
import { fragmentation } from './fragmentation.ts';
import { Measures } from './measures.ts';
import { boundedSlowdown, Shares } from './shares.ts';
import { curveOf, jainIndex, percentilesOf } from './statistics.ts';
import type { TraceTask } from './trace.ts';

describe('figures of many numbers', () => {
  it('are those of numbers that occurred, in order', () => {
    const values = Float64Array.from({ length: 100 }, (_, at) => 100 - at);
    expect(percentilesOf(values)).toEqual({ count: 100, mean: 50.5, p50: 50, p90: 90, p99: 99, max: 100 });
    expect(percentilesOf(new Float64Array(0))).toBeNull();
  });

  it('make a curve that only rises, up to all', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(50), { minLength: 1, maxLength: 400 }), (numbers) => {
        const curve = curveOf(Float64Array.from(numbers).sort());
        expect(curve.at(-1)).toEqual([Math.max(...numbers), 1]);
        for (const [value, part] of curve) {
          expect(numbers.filter((one) => one <= value).length / numbers.length).toBeGreaterThanOrEqual(part);
        }
        expect(new Set(curve.map(([value]) => value)).size).toBe(curve.length);
      }),
    );
  });

  it("are equal by Jain's index when it is 1, and one has all when it is 1/n", () => {
    expect(jainIndex([3, 3, 3])).toBeCloseTo(1);
    expect(jainIndex([5, 0, 0, 0])).toBeCloseTo(0.25);
    expect(jainIndex([1, 2])).toBeCloseTo(0.9);
    expect(jainIndex([])).toBeNull();
  });
});

describe('slowdown', () => {
  it('is bounded, so that a blink does not outweigh all others', () => {
    expect(boundedSlowdown(0, 60_000)).toBe(1);
    expect(boundedSlowdown(60_000, 60_000)).toBe(2);
    expect(boundedSlowdown(1_000, 1)).toBe(1);
    expect(boundedSlowdown(19_000, 1_000)).toBe(2);
  });
});

describe('shares', () => {
  const capacity = { cpuMillis: 10_000, memoryMb: 1_000, gpus: 0, storageMb: 0 };
  const half = { cpuMillis: 1_000, memoryMb: 500, gpus: 0, storageMb: 0 };

  it('are the dominant ones, over the time in which a user wants more', () => {
    const shares = new Shares(capacity);
    for (const user of ['a', 'a', 'b']) shares.wait(user, 0);
    shares.hold('a', half, 0);
    // Until 100 a has 0.5 and wants one more, b has nothing and wants one.
    expect(shares.fairness(100).ofShare).toBeCloseTo(0.5);
    shares.hold('b', half, 100);
    shares.hold('a', half, 100);
    // Nobody wants anything any more: what is held then does not count.
    expect(shares.fairness(1_000)).toMatchObject({ wanting: 2 });
    expect(shares.fairness(1_000).ofShare).toBeCloseTo(0.5);
  });
});

describe('fragmentation', () => {
  const view = (id: string, cores: number, zone = 'a') => ({
    id,
    state: 'ready' as const,
    capacity: { cpuMillis: 8_000, memoryMb: 1_000, gpus: 0, storageMb: 0 },
    free: { cpuMillis: cores * 1_000, memoryMb: 1_000, gpus: 0, storageMb: 0 },
    labels: { zone },
    freeGpus: [],
  });
  const task = (cores: number, zone?: string): TraceTask => ({
    ...{ atMs: 0, user: 'a', runMs: 1, kValue: 3, priority: 5, image: '', tag: '', worker: null },
    need: { cpuMillis: cores * 1_000, memoryMb: 0, gpus: 0, storageMb: 0 },
    labels: zone === undefined ? NO_DEMAND : { constraints: { zone: [zone] }, prefer: {} },
  });

  it('is the part of what is free that is of no use to a task, on average over tasks', () => {
    // 6 cores are free, 2 of them in a piece too small for 4.
    const workers = [view('w1', 2), view('w2', 4)];
    expect(fragmentation([task(4)], workers).cpuMillis).toBeCloseTo(2 / 6);
    expect(fragmentation([task(4), task(1)], workers).cpuMillis).toBeCloseTo(1 / 6);
    expect(fragmentation([task(8)], workers).cpuMillis).toBe(1);
    expect(fragmentation([task(1, 'b')], [view('w1', 2), view('w2', 4, 'b')]).cpuMillis).toBeCloseTo(2 / 6);
  });

  it('is unknown where nobody asks, and where nothing is free', () => {
    expect(fragmentation([task(1)], [view('w1', 2)]).memoryMb).toBeNull();
    expect(fragmentation([task(1)], [view('w1', 0)]).cpuMillis).toBeNull();
  });
});

describe('the cluster over time', () => {
  it('keeps a curve of few points, however long it takes, whose mean is the mean of all', () => {
    const capacity = { cpuMillis: 1_000, memoryMb: 0, gpus: 0, storageMb: 0 };
    const nothing = { cpuMillis: null, memoryMb: null, gpus: null, storageMb: null };
    const measures = new Measures(capacity, 100_000, () => nothing);
    measures.hold({ ...capacity, cpuMillis: 500 });
    measures.advance(50_000);
    measures.release({ ...capacity, cpuMillis: 500 });
    measures.advance(10_000_000);
    const { series, used, usedWhileArriving } = measures.sums();
    expect(series.points.length).toBeLessThanOrEqual(400);
    const sum = series.points.reduce((all, point) => all + point.used.cpuMillis * series.stepMs, 0);
    expect(sum).toBeCloseTo(25_000);
    expect(used.cpuMillis).toBeCloseTo(0.5);
    expect(usedWhileArriving.cpuMillis).toBeCloseTo(0.25);
  });
});

describe('dice', () => {
  it('fall alike for the same seed, and within bounds', () => {
    const fall = (seed: number) => {
      const dice = new Dice(seed);
      return Array.from({ length: 1_000 }, () => [
        dice.next(),
        dice.normal(),
        dice.boundedPareto(0.7, 1, 50),
        dice.weighted([1, 3, 3, 10]),
      ]);
    };
    expect(fall(3)).toEqual(fall(3));
    expect(fall(3)).not.toEqual(fall(4));
    for (const [part = 0, , heavy = 0, index = 0] of fall(3)) {
      expect(part >= 0 && part < 1).toBe(true);
      expect(heavy >= 1 && heavy <= 50).toBe(true);
      expect([0, 1, 3]).toContain(index);
    }
    const normal = fall(3).map(([, one = 0]) => one);
    expect(Math.abs(normal.reduce((sum, one) => sum + one, 0) / 1_000)).toBeLessThan(0.1);
  });
});
