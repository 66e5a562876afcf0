import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RateCounts } from './rate-counts.ts';

const WINDOW_MS = 10_000;

describe('counts of calls', () => {
  it('let so much through within a window, refuse the rest, and begin anew', () => {
    const counts = new RateCounts(WINDOW_MS);
    const take = (now: number) => counts.take('a', 1, 3, now);
    expect([0, 1, 2].map((now) => take(now).remaining)).toEqual([2, 1, 0]);
    expect(take(2_500)).toEqual({ isAllowed: false, isFirst: true, limit: 3, remaining: 0, resetSeconds: 8 });
    expect(take(9_999)).toMatchObject({ isAllowed: false, isFirst: false, resetSeconds: 1 });
    expect(counts.take('b', 1, 3, 9_999).isAllowed).toBe(true);
    expect(take(WINDOW_MS)).toMatchObject({ isAllowed: true, remaining: 2, resetSeconds: 10 });
  });

  it('go by the limit of the moment, whatever was counted under another one', () => {
    const counts = new RateCounts(WINDOW_MS);
    for (let n = 0; n < 3; n += 1) counts.take('a', 1, 3, 0);
    expect(counts.take('a', 1, 3, 1).isAllowed).toBe(false);
    expect(counts.take('a', 1, 10, 2)).toMatchObject({ isAllowed: true, limit: 10, remaining: 6 });
    expect(counts.take('a', 1, 2, 3)).toMatchObject({ isAllowed: false, limit: 2, remaining: 0 });
    expect(counts.take('b', 1, 2, 3)).toMatchObject({ isAllowed: true, remaining: 1 });
  });

  it('take what costs more than is left, once', () => {
    const counts = new RateCounts(WINDOW_MS);
    expect(counts.take('a', 100, 10, 0)).toMatchObject({ isAllowed: true, remaining: 0 });
    expect(counts.take('a', 1, 10, 1).isAllowed).toBe(false);
  });

  it('count what others have let through as soon as they are told', () => {
    const counts = new RateCounts(WINDOW_MS);
    for (let n = 0; n < 40; n += 1) counts.take('a', 1, 100, 0);
    expect(counts.takeUntold(10, 3)).toEqual([['a', 40]]);
    counts.take('a', 1, 100, 100);
    // The others had 50, and their window ends sooner.
    counts.told('a', 40, { total: 90, msLeft: 3_000 }, 200);
    expect(counts.take('a', 1, 100, 200)).toMatchObject({ isAllowed: true, remaining: 8, resetSeconds: 3 });
    expect(counts.take('a', 1, 100, 3_200)).toMatchObject({ remaining: 99, resetSeconds: 10 });
  });

  it('keep to themselves what is next to nothing', () => {
    const counts = new RateCounts(WINDOW_MS);
    for (let n = 0; n < 4; n += 1) counts.take('a', 1, 100, 0);
    expect(counts.hasUntold).toBe(false);
    counts.take('a', 1, 100, 0);
    expect(counts.takeUntold(10, 3)).toEqual([['a', 5]]);
    expect(counts.hasUntold).toBe(false);
  });

  it('lose nothing that could not be told', () => {
    const counts = new RateCounts(WINDOW_MS);
    for (let n = 0; n < 10; n += 1) counts.take('a', 1, 10, 0);
    const [[, points = 0] = ['', 0]] = counts.takeUntold(10, 3);
    expect(counts.take('a', 1, 10, 1).isAllowed).toBe(false);
    counts.notTold('a', points);
    expect(counts.take('a', 1, 10, 2).isAllowed).toBe(false);
    expect(counts.takeUntold(10, 3)).toEqual([['a', 10]]);
  });

  it('tell nothing any more of a window that is over', () => {
    const counts = new RateCounts(WINDOW_MS);
    for (let n = 0; n < 10; n += 1) counts.take('quiet since', 1, 10, 0);
    const [[key, points] = ['', 0]] = counts.takeUntold(10, 1);
    counts.notTold(key, points);
    expect(counts.takeUntold(10, WINDOW_MS)).toEqual([]);
    expect(counts.hasUntold).toBe(false);
    expect(counts.take(key, 1, 10, WINDOW_MS)).toMatchObject({ isAllowed: true, remaining: 9 });
  });

  it('hold no more keys than they may, whatever comes', () => {
    const counts = new RateCounts(WINDOW_MS, 100);
    for (let n = 0; n < 10_000; n += 1) counts.take(`address-${n}`, 1, 1, n);
    expect(counts.size).toBe(100);
    expect(counts.takeUntold(1_000, 10_000).length).toBeLessThanOrEqual(100);
    expect(counts.take('address-9999', 1, 1, 10_000).isAllowed).toBe(false);
  });

  it('never let more than the limit through in a window, in whatever order words come and go', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('take' as const), cost: fc.integer({ min: 1, max: 3 }) }),
      fc.record({ kind: fc.constant('tell' as const), arrives: fc.boolean() }),
      fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 4_000 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const counts = new RateCounts(WINDOW_MS);
        // Redis as it would count: a window that begins with the first word.
        let shared = { total: 0, endsAt: 0 };
        let now = 0;
        const taken: { at: number; cost: number }[] = [];
        for (const one of steps) {
          if (one.kind === 'wait') now += one.ms;
          else if (one.kind === 'take') {
            if (counts.take('a', one.cost, 20, now).isAllowed) taken.push({ at: now, cost: one.cost });
          } else {
            for (const [key, points] of counts.takeUntold(5, now)) {
              if (!one.arrives) {
                counts.notTold(key, points);
                continue;
              }
              if (now >= shared.endsAt) shared = { total: 0, endsAt: now + WINDOW_MS };
              shared.total += points;
              counts.told(key, points, { total: shared.total, msLeft: shared.endsAt - now }, now);
            }
          }
        }
        // Two windows that meet, and the one call that may cost more than is left in each.
        for (const { at } of taken) {
          const within = taken.filter((one) => one.at >= at && one.at < at + WINDOW_MS);
          expect(within.reduce((sum, { cost }) => sum + cost, 0)).toBeLessThanOrEqual(2 * (20 + 2));
        }
      }),
    );
  });
});
