import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type SparkPoint, sparkline } from './sparkline.ts';

const points = (...values: (number | null)[]): SparkPoint[] =>
  values.flatMap((value, n) => (value === null ? [] : [{ at: n * 10, value }]));
const draw = (values: (number | null)[], width = 80, most?: number) =>
  sparkline(
    points(...values),
    { from: 0, to: values.length * 10, stepMs: 10, ...(most === undefined ? {} : { most }) },
    width,
  );

describe('a sparkline', () => {
  it('has a bar for each step, from zero to the highest point', () => {
    expect(draw([0, 1, 2, 3, 4, 5, 6, 7])).toBe('▁▂▃▄▅▆▇█');
    expect(draw([50, 51, 49])).toBe('███');
    expect(draw([50, 25, 0], 80, 100)).toBe('▅▃▁');
    expect(draw([0, 0])).toBe('▁▁');
  });

  it('leaves a gap where nothing was measured, and takes means where there is less room', () => {
    expect(draw([7, null, 7])).toBe('█ █');
    expect(draw([0, 7, 7, 7], 2, 7)).toBe('▅█');
    expect(draw([null, null])).toBe('  ');
  });

  it('never is wider than its room, whatever the points', () => {
    const any = fc.array(fc.option(fc.double({ noNaN: true, min: -1e6, max: 1e12 })), { minLength: 1 });
    fc.assert(
      fc.property(any, fc.integer({ min: 1, max: 40 }), (values, width) => {
        expect([...draw(values, width)]).toHaveLength(Math.min(width, values.length));
      }),
    );
  });
});
