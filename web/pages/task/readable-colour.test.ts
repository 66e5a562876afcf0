import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BOUNDS, fromHex, hex, luminance, type Rgb, readable, type Theme } from './readable-colour.ts';

const part = fc.integer({ min: 0, max: 255 });
const colour: fc.Arbitrary<Rgb> = fc.tuple(part, part, part);
const theme = fc.constantFrom<Theme>('light', 'dark');

function contrast(one: Rgb, other: Rgb): number {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

describe('readable colours', () => {
  it('know the contrast of black and white', () => {
    expect(contrast([0, 0, 0], [255, 255, 255])).toBeCloseTo(21);
    expect(luminance([255, 255, 255])).toBeCloseTo(1);
  });

  it('meet 4.5 : 1, any text on any ground', () => {
    fc.assert(
      fc.property(colour, colour, theme, (text, ground, there) => {
        const pair = contrast(readable(text, there, 'text'), readable(ground, there, 'ground'));
        expect(pair).toBeGreaterThanOrEqual(4.5);
      }),
    );
  });

  it('are left alone where they can be read', () => {
    fc.assert(
      fc.property(colour, theme, (given, there) => {
        const { least, most } = BOUNDS[there].text;
        fc.pre(luminance(given) >= least && luminance(given) <= most);
        expect(readable(given, there, 'text')).toEqual(given);
      }),
    );
    expect(readable([999, -3, 0], 'dark', 'text')).toEqual(readable([255, 0, 0], 'dark', 'text'));
  });

  it('are written as the web writes them', () => {
    fc.assert(
      fc.property(colour, (given) => {
        expect(fromHex(hex(given))).toEqual(given);
      }),
    );
    expect(hex([1, 171, 255])).toBe('#01abff');
    expect(fromHex('red')).toBeNull();
  });
});
