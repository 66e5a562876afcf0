import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fits, shortfalls } from '../../shared/model/resources.ts';
import { amounts, cluster, ids } from '../../test/support/generated-clusters.ts';
import { distance, distanceTo, judge } from './fit.ts';
import { prospectOf, waitOf } from './wait-reason.ts';

const target = fc.constantFrom(null, null, ...ids);
const waiter = { attempt: 1, message: null, notBefore: 0 };

describe('the reason of a wait', () => {
  it('is what the rule of placing says of each worker', () => {
    fc.assert(
      fc.property(amounts, target, cluster, (need, wanted, workers) => {
        const verdicts = workers.map((worker) => judge(need, wanted, worker));
        const { code } = prospectOf(need, wanted, workers);
        const allowed = verdicts.filter(({ excludedBy }) => excludedBy !== 'other_worker_requested');
        const large = allowed.filter(({ fitsWhenEmpty }) => fitsWhenEmpty);
        const expected = verdicts.some(({ fitsNow }) => fitsNow)
          ? 'fits'
          : workers.length === 0 && wanted === null
            ? 'no_workers'
            : allowed.length === 0
              ? 'worker_missing'
              : large.length === 0
                ? 'never'
                : large.every(({ excludedBy }) => excludedBy !== null)
                  ? 'not_ready'
                  : 'no_room';
        expect(code).toBe(expected);
      }),
    );
  });

  it('of what fits depends on how many go before', () => {
    const prospect = { code: 'fits', workerId: 'w1' } as const;
    expect(waitOf(waiter, prospect, 0, 5).reason).toBe('next');
    expect(waitOf(waiter, prospect, 1, 5)).toEqual({
      reason: 'behind',
      summary: 'In line: it fits on w1 now, and 1 task goes before it.',
    });
  });

  it('is the delay before a retry as long as that lasts', () => {
    const prospect = { code: 'fits', workerId: 'w1' } as const;
    const again = { attempt: 2, message: 'exit code 1', notBefore: 5_000 };
    expect(waitOf(again, prospect, 0, 2_000)).toEqual({
      reason: 'retry_delay',
      summary: 'Waits 3 s before attempt 2 (exit code 1).',
    });
    expect(waitOf(again, prospect, 0, 5_000).reason).toBe('next');
  });

  it('measures distances like shortfalls do', () => {
    fc.assert(
      fc.property(amounts, amounts, (need, room) => {
        expect(distanceTo(need, room)).toBeCloseTo(distance(shortfalls(need, room)), 9);
        expect(distanceTo(need, room) === 0).toBe(fits(need, room));
      }),
    );
  });
});
