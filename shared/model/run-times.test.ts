import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { KINDS_KEPT, LEAST_RUNS, RUNS_KEPT, RunTimes } from './run-times.ts';

const kind = { image: 'python:3.9', tag: 'train' };
const DEFAULT = { lowerMs: 75_000, medianMs: 300_000, upperMs: 1_200_000, learnedFrom: 0 };
/** Runs that end at 1, 2, 3, …. */
const learned = (...runsMs: number[]) => {
  const times = new RunTimes(300_000);
  for (const [n, runMs] of runsMs.entries()) times.add(kind, n + 1, runMs);
  return times;
};

describe('run times', () => {
  it('are the default until there are enough runs of that image and tag', () => {
    const times = learned(10, 20);
    expect(times.of(kind)).toEqual(DEFAULT);
    times.add({ ...kind, tag: 'test' }, 3, 30);
    times.add({ ...kind, image: 'python:3.10' }, 4, 30);
    expect(times.of(kind)).toEqual(DEFAULT);
    times.add(kind, 5, 60);
    expect(times.of(kind)).toEqual({ lowerMs: 15, medianMs: 20, upperMs: 40, learnedFrom: 3 });
  });

  it('are not moved far by a few odd runs', () => {
    expect(learned(10, 11, 12, 13, 14, 900_000, 900_000).of(kind).medianMs).toBe(13);
  });

  it('follow a change, as only the newest runs count', () => {
    const times = learned(...Array.from({ length: RUNS_KEPT }, () => 10));
    for (let n = 0; n < RUNS_KEPT; n += 1) times.add(kind, 1_000 + n, 99);
    expect(times.of(kind)).toEqual({ lowerMs: 99, medianMs: 99, upperMs: 99, learnedFrom: RUNS_KEPT });
  });

  it('as of a time know only what had ended by then', () => {
    const times = learned(10, 20, 30, 1_000, 1_000, 1_000, 1_000);
    expect(times.asOf(kind, 2)).toEqual(DEFAULT);
    expect(times.asOf(kind, 3)).toMatchObject({ medianMs: 20, learnedFrom: 3 });
    expect(times.asOf(kind, 7)).toEqual(times.of(kind));
    expect(times.asOf({ ...kind, tag: '' }, 7)).toEqual(DEFAULT);
  });

  it('as of a time that is forgotten are by the oldest that is known', () => {
    const times = learned(...Array.from({ length: RUNS_KEPT + 40 }, (_, n) => n));
    expect(times.asOf(kind, 5)).toEqual(times.of(kind));
    expect(times.asOf(kind, 2)).toEqual(DEFAULT);
  });

  it('as of a time are the same however often and in whatever order they are asked for', () => {
    const times = fc.array(fc.nat(40), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(40), fc.nat(1_000))), times, (runs, asked) => {
        const fresh = () => {
          const made = new RunTimes(300_000);
          for (const [finishedAt, runMs] of runs) made.add(kind, finishedAt, runMs);
          return made;
        };
        const kept = fresh();
        for (const at of asked) expect(kept.asOf(kind, at)).toEqual(fresh().asOf(kind, at));
      }),
    );
  });

  it('are kept of the kinds that ran last', () => {
    const times = learned(10, 10, 10);
    for (let n = 0; n < KINDS_KEPT + 5; n += 1) {
      if (n % 1_000 === 0) times.add(kind, n, 10);
      times.add({ image: 'a', tag: String(n) }, n, 1);
    }
    expect(times.size).toBe(KINDS_KEPT);
    expect(times.of(kind).medianMs).toBe(10);
  });

  it('have quartiles in order, within what was seen', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1_000_000), { minLength: LEAST_RUNS, maxLength: 60 }), (runs) => {
        const { lowerMs, medianMs, upperMs } = learned(...runs).of(kind);
        const kept = runs.slice(-RUNS_KEPT);
        expect(Math.min(...kept)).toBeLessThanOrEqual(lowerMs);
        expect(lowerMs).toBeLessThanOrEqual(medianMs);
        expect(medianMs).toBeLessThanOrEqual(upperMs);
        expect(upperMs).toBeLessThanOrEqual(Math.max(...kept));
      }),
    );
  });
});
