import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { escapeText, roundTicks, svgDocument, svgFigure } from './plots.ts';

const axis = (ticks: number[]) => ({ label: 'a <label>', ticks, text: String });

describe('a plot', () => {
  it('lets no text become markup', () => {
    const evil = '<script>"&\u0007\'';
    const drawn = svgDocument(
      [{ title: evil, lines: [{ name: evil, points: [[0, 1]] }], x: axis([0, 1]), y: axis([0, 1]) }],
      evil,
    );
    expect(drawn).not.toContain('<script');
    expect(drawn).not.toContain('\u0007');
    expect(drawn).toContain(escapeText('<script>"&\''));
    expect(drawn).toContain('a &lt;label&gt;');
    expect(escapeText('a & "b"')).toBe('a &amp; &quot;b&quot;');
  });

  it('draws all points within its frame, whatever they are', () => {
    const point = fc.tuple(fc.integer({ min: -50, max: 500 }), fc.integer({ min: -50, max: 500 }));
    fc.assert(
      fc.property(fc.array(point, { minLength: 1, maxLength: 30 }), fc.boolean(), (points, isLog) => {
        const x = { ...axis([1, 100]), isLog };
        const drawn = svgFigure({ title: 't', lines: [{ name: 'n', points }], x, y: axis([0, 100]) });
        const path = [...drawn.matchAll(/class="line line0" d="(M[^"]+)"/g)].at(-1)?.[1] ?? '';
        const places = [...path.matchAll(/[ML]([\d.-]+) ([\d.-]+)/g)].map(([, left, top]) => [
          Number(left),
          Number(top),
        ]);
        expect(places).toHaveLength(points.length);
        for (const [left = -1, top = -1] of places) {
          expect(left >= 64 && left <= 744 && top >= 56 && top <= 216).toBe(true);
        }
      }),
    );
  });
});

describe('the marks of an axis', () => {
  it('are few, even, and reach to the end', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_000_000 }), (most) => {
        const ticks = roundTicks(most, [1, 2, 5, 10, 50]);
        expect(ticks.length).toBeLessThanOrEqual(9);
        expect(ticks.at(-1)).toBeGreaterThanOrEqual(most);
        for (const [at, tick] of ticks.entries()) expect(tick).toBeCloseTo(at * (ticks[1] as number));
      }),
    );
  });
});
