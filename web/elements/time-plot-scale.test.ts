import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cursorWords, momentWords, scaleMarks, scaleTop } from './time-plot-scale.ts';

describe('the upright scale', () => {
  it('ends at a round number with room for the highest value', () => {
    expect([0, 0.3, 1, 7, 42, 100, 1_234].map((most) => scaleTop(most))).toEqual([
      1, 0.3, 1, 8, 60, 100, 1_500,
    ]);
    expect([0, 1, 3, 5, 25].map((most) => scaleTop(most, 'whole'))).toEqual([1, 1, 3, 6, 30]);
    expect([1_000, 15_998].map((most) => scaleTop(most, 'binary'))).toEqual([1_024, 16_384]);
  });

  it('has a handful of marks from 0 on, none beyond its end', () => {
    expect(scaleMarks(100)).toEqual([0, 25, 50, 75, 100]);
    expect(scaleMarks(6)).toEqual([0, 2, 4, 6]);
    expect(scaleMarks(3, 'whole')).toEqual([0, 1, 2, 3]);
    expect(scaleMarks(15_998, 'binary')).toEqual([0, 4_096, 8_192, 12_288]);
    expect(scaleMarks(15_998, 'binary', true)).toEqual([0, 4_096, 8_192, 12_288, 15_998]);
    expect(scaleMarks(12_500, 'binary', true)).toEqual([0, 4_096, 8_192, 12_288]);
    expect(scaleMarks(0)).toEqual([0]);
  });

  it('always holds what it is made for', () => {
    const top = fc.double({ min: 1e-3, max: 1e15, noNaN: true });
    fc.assert(
      fc.property(top, fc.constantFrom('decimal' as const, 'binary' as const), (most, grouping) => {
        const end = scaleTop(most, grouping);
        expect(end).toBeGreaterThanOrEqual(most * 0.999_999);
        // Steps of bytes are whole ones.
        expect(end).toBeLessThanOrEqual(Math.max(most * 2.6, grouping === 'binary' ? 4 : 0));
        const marks = scaleMarks(end, grouping);
        expect(marks.length).toBeGreaterThan(1);
        expect(marks.length).toBeLessThanOrEqual(6);
        expect(marks.at(-1)).toBeLessThanOrEqual(end * 1.000_001);
      }),
    );
  });
});

describe('moments', () => {
  const noon = new Date(2026, 0, 31, 12, 5, 9).getTime() / 1000;

  it('are told in local time, as exact as the marks are close', () => {
    expect(momentWords(noon, 10, 'en-GB')).toBe('12:05:09');
    expect(momentWords(noon, 3_600, 'en-GB')).toBe('12:05');
    expect(momentWords(noon, 86_400, 'en-GB')).toContain('31');
  });

  it('under the cursor have a day where the plot spans more than one', () => {
    expect(cursorWords(noon, 900, 'en-GB')).toBe('12:05:09');
    expect(cursorWords(noon, 6 * 3_600, 'en-GB')).toBe('12:05');
    expect(cursorWords(noon, 7 * 86_400, 'en-GB')).toMatch(/31.*12:05/);
  });
});
