import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Progress, progressText, Rate } from './progress-text.ts';

const MB = 1_048_576;
const half: Progress = {
  files: 1,
  doneFiles: 0,
  bytes: 1_024 * MB,
  doneBytes: 512 * MB,
  bytesPerSecond: 8 * MB,
  step: null,
};

describe('how far a transfer is', () => {
  it('has percent, a bar, bytes, rate and the time that is left, as far as there is room', () => {
    expect(progressText(half, 79)).toBe(' 50% [==========>           ]  512 MB of 1 GB  8 MB/s  1m 4s left');
    expect(progressText({ ...half, files: 12, doneFiles: 3 }, 119)).toContain('1m 4s left  3 of 12 files');
    expect(progressText(half, 49)).toBe(' 50% [====>     ]  8 MB/s  1m 4s left');
    expect(progressText(half, 30)).toBe(' 50% [===>    ]  8 MB/s');
    expect(progressText(half, 19)).toBe(' 50%  8 MB/s');
  });

  it('says what takes its time, and knows when the whole is not known', () => {
    expect(progressText({ ...half, step: 'joining' }, 79)).toMatch(/512 MB of 1 GB {2}joining$/);
    expect(progressText({ ...half, bytes: 0 }, 60)).toBe('512 MB  8 MB/s');
    expect(progressText({ ...half, bytesPerSecond: null }, 79)).toMatch(/512 MB of 1 GB$/);
    expect(progressText({ ...half, bytesPerSecond: 0 }, 79)).toMatch(/0 B\/s$/);
  });

  it('fits whatever the numbers are, and is 100% only at the end', () => {
    const bytes = fc.integer({ min: 0, max: 2 ** 45 });
    const progress = fc.record({
      files: fc.integer({ min: 1, max: 1e6 }),
      doneFiles: fc.integer({ min: 0, max: 1e6 }),
      bytes,
      doneBytes: fc.integer({ min: -(2 ** 40), max: 2 ** 45 }),
      bytesPerSecond: fc.option(bytes),
      step: fc.option(fc.constantFrom('reading', 'joining')),
    });
    fc.assert(
      fc.property(progress, fc.integer({ min: 19, max: 300 }), (one, width) => {
        const text = progressText(one, width);
        expect(text.length).toBeLessThanOrEqual(width);
        expect(text).not.toMatch(/NaN|undefined|Infinity/);
        if (text.includes('100%')) expect(one.doneBytes).toBeGreaterThanOrEqual(one.bytes);
      }),
    );
  });
});

describe('the rate', () => {
  it('is that of the last moments', () => {
    const rate = new Rate(2_000);
    expect(rate.perSecond()).toBeNull();
    for (let at = 0; at <= 10_000; at += 100) rate.add(at, Math.min(at, 5_000));
    expect(rate.perSecond()).toBe(0);
    rate.add(10_100, 5_500);
    expect(rate.perSecond()).toBeGreaterThan(200);
  });
});
