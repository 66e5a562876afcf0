import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeLiveness, type LivenessMemory, NOTHING_SEEN } from './liveness.ts';

const LEASE = 15_000;
const up = { id: 'w1', liveness: 'up' } as const;
const down = { id: 'w1', liveness: 'down' } as const;

/** Looks at the given times; `age` is of the last beat, null for an absent lease. Says when it was called down. */
function watch(looks: readonly (readonly [at: number, age: number | null])[], memory = NOTHING_SEEN) {
  let seen: LivenessMemory = memory;
  for (const [at, age] of looks) {
    const present = new Map(age === null ? [] : [['w1', age]]);
    const verdict = judgeLiveness([up], { askedAt: at, answeredAt: at + 2, present }, seen, LEASE);
    seen = verdict.memory;
    if (verdict.down.length > 0) return at;
  }
  return null;
}
const every = (from: number, to: number, age: (at: number) => number | null) =>
  Array.from({ length: (to - from) / 1000 + 1 }, (_, n) => {
    const at = from + n * 1000;
    return [at, age(at)] as const;
  });

describe('a worker whose lease is gone', () => {
  it('is down at once when the lease ran out while the leader watched', () => {
    const silentFrom = 5_000;
    const at = watch(
      every(0, 60_000, (now) => (now < silentFrom + LEASE ? Math.max(0, now - silentFrom) : null)),
    );
    expect(at).toBeGreaterThanOrEqual(silentFrom + LEASE);
    expect(at).toBeLessThanOrEqual(silentFrom + LEASE + 1_000);
  });

  it('has a full lease when Redis was emptied', () => {
    const emptied = 30_000;
    const beating = (now: number) => now % 5_000;
    expect(watch(every(0, 90_000, (now) => (now < emptied ? beating(now) : null)))).toBe(emptied + LEASE);
    const back = emptied + LEASE - 1_000;
    expect(watch(every(0, 90_000, (now) => (now < emptied || now >= back ? beating(now) : null)))).toBeNull();
  });

  it('has a full lease under a new leader', () => {
    expect(watch(every(1_000, 60_000, () => null))).toBe(1_000 + LEASE);
  });

  it('has a full lease when the leader could not look for a while', () => {
    const blind = [...every(0, 5_000, () => 100), ...every(40_000, 90_000, () => null)];
    expect(watch(blind)).toBe(40_000 + LEASE);
  });

  it('has a full lease when it left on purpose', () => {
    expect(watch(every(0, 60_000, (now) => (now < 10_000 ? now % 5_000 : null)))).toBe(10_000 + LEASE);
  });
});

describe('a worker that is present', () => {
  it('is never down, whatever was seen before; and is up again at once', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(20_000), fc.option(fc.nat(LEASE)))), (steps) => {
        let memory = NOTHING_SEEN;
        let now = 0;
        for (const [pause, age] of steps) {
          now += pause;
          const present = new Map(age === null ? [] : [['w1', age]]);
          const look = { askedAt: now, answeredAt: now + 1, present };
          const verdict = judgeLiveness([up], look, memory, LEASE);
          if (age !== null) {
            expect(verdict.down).toEqual([]);
            expect(judgeLiveness([down], look, memory, LEASE).up).toEqual(['w1']);
          } else {
            expect(judgeLiveness([down], look, memory, LEASE)).toMatchObject({ up: [], down: [] });
            const lastBeat = memory.sights.get('w1')?.lastBeatAt ?? null;
            if (verdict.down.length > 0 && lastBeat !== null) {
              expect(now - lastBeat).toBeGreaterThanOrEqual(LEASE);
            }
          }
          memory = verdict.memory;
        }
      }),
    );
  });

  it('and workers that were removed are forgotten', () => {
    const look = { askedAt: 0, answeredAt: 1, present: new Map<string, number>() };
    const seen = judgeLiveness([up], look, NOTHING_SEEN, LEASE).memory;
    expect(judgeLiveness([], look, seen, LEASE).memory.sights.size).toBe(0);
  });
});
