import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RETRY_DELAYS_MS, retryAfterMs, retryDelayMs } from './backoff.ts';

const DAY_MS = 86_400_000;
const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
const failures = fc.integer({ min: 1, max: RETRY_DELAYS_MS.length });

describe('the delay after a failure', () => {
  it('is about five seconds first and half a day last, then there is none', () => {
    expect(retryDelayMs(1, 0.5)).toBe(5_000);
    expect(retryDelayMs(8, 0.5)).toBe(12 * 3_600_000);
    expect(retryDelayMs(9, 0.5)).toBeNull();
  });

  it('stays within a fifth of its step', () => {
    fc.assert(
      fc.property(failures, chance, (count, dice) => {
        const step = RETRY_DELAYS_MS[count - 1] ?? 0;
        const delay = retryDelayMs(count, dice) ?? 0;
        expect(delay).toBeGreaterThanOrEqual(step * 0.8);
        expect(delay).toBeLessThanOrEqual(step * 1.2);
        expect(Number.isInteger(delay)).toBe(true);
      }),
    );
  });

  it('grows with every failure, whatever the chance', () => {
    fc.assert(
      fc.property(failures, chance, chance, (count, one, other) => {
        const next = retryDelayMs(count + 1, other);
        if (next !== null) expect(next).toBeGreaterThan(retryDelayMs(count, one) ?? 0);
      }),
    );
  });

  it('comes to an end within two days', () => {
    fc.assert(
      fc.property(chance, (dice) => {
        let sum = 0;
        let tries = 1;
        for (let delay = retryDelayMs(tries, dice); delay !== null; delay = retryDelayMs(tries, dice)) {
          sum += delay;
          tries += 1;
        }
        expect(tries).toBe(9);
        expect(sum).toBeLessThan(2 * DAY_MS);
      }),
    );
  });
});

describe('Retry-After', () => {
  const now = Date.parse('2026-01-01T10:00:00.000Z');

  it.each<[string | undefined, number]>([
    [undefined, 0],
    ['', 0],
    ['0', 0],
    ['120', 120_000],
    [' 7 ', 7_000],
    ['Thu, 01 Jan 2026 10:05:00 GMT', 300_000],
    ['Thu, 01 Jan 2026 09:00:00 GMT', 0],
    ['99999999', DAY_MS],
    ['Fri, 01 Jan 2100 10:00:00 GMT', DAY_MS],
    ['soon', 0],
    ['-5', 0],
  ])('%j asks for %d ms', (header, ms) => {
    expect(retryAfterMs(header, now)).toBe(ms);
  });

  it('asks for nothing below zero or above a day, whatever it says', () => {
    fc.assert(
      fc.property(fc.string(), (header) => {
        const ms = retryAfterMs(header, now);
        expect(ms).toBeGreaterThanOrEqual(0);
        expect(ms).toBeLessThanOrEqual(DAY_MS);
      }),
    );
  });
});
