import { describe, expect, it } from 'vitest';
import { attainmentWords, startBand, startsIn } from './queue-words.ts';

const NOW = Date.parse('2026-01-01T10:00:00.000Z');
const after = (seconds: number) => new Date(NOW + seconds * 1_000).toISOString();
const estimate = (at: number, earliest = at, latest = at) => ({
  at: after(at),
  earliest: after(earliest),
  latest: after(latest),
});

describe('an estimate in words', () => {
  it('is as exact as it can be', () => {
    expect([-5, 0.4, 40, 170, 3_600, 7_500, 90_000].map((s) => startsIn(estimate(s), NOW))).toEqual([
      'now',
      'now',
      'in 40s',
      'in 3m',
      'in 1h',
      'in 2h 5m',
      'in 1d 1h',
    ]);
    expect(startsIn(null, NOW)).toBe('unknown');
  });

  it('names its band where there is one', () => {
    expect(startBand(estimate(180, 120, 540), NOW)).toBe('between 2m and 9m from now');
    expect(startBand(estimate(180, -3, 540), NOW)).toBe('between now and 9m from now');
    expect(startBand(estimate(180), NOW)).toBeNull();
    expect(startBand(estimate(-2, -5, -1), NOW)).toBeNull();
    expect(startBand(null, NOW)).toBeNull();
  });
});

describe('attainment in words', () => {
  it('never rounds up to all', () => {
    const words = (met: number, missed: number) =>
      attainmentWords({ window_seconds: 86_400, met, missed, attainment: met / (met + missed) });
    expect(words(3, 1)).toBe('75% of 4');
    expect(words(9_999, 1)).toBe('99.9% of 10,000');
    expect(words(5, 0)).toBe('100% of 5');
    expect(attainmentWords({ window_seconds: 1, met: 0, missed: 0, attainment: null })).toBeNull();
  });
});
