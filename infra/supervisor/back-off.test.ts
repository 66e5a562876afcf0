import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextWait, RESTART_POLICY } from './back-off.ts';

describe('the wait before a restart', () => {
  it('doubles from a second to half a minute', () => {
    const waits: number[] = [];
    for (let last = 0; waits.length < 7; waits.push(last)) last = nextWait(last, 10, RESTART_POLICY);
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  });

  it('begins anew after a life of a minute', () => {
    expect(nextWait(30_000, 60_000, RESTART_POLICY)).toBe(1_000);
    expect(nextWait(30_000, 59_999, RESTART_POLICY)).toBe(30_000);
  });

  it('never leaves its bounds', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (last, lived) => {
        const wait = nextWait(last, lived, RESTART_POLICY);
        return wait >= RESTART_POLICY.firstMs && wait <= RESTART_POLICY.maxMs;
      }),
      { examples: [[1, 0]] },
    );
  });
});
