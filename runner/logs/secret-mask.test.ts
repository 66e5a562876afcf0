import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createSecretMask, MASK } from './secret-mask.ts';

const mask = (env: Record<string, string>, secrets: string[]) => createSecretMask({ env, secrets });

describe('masking secrets', () => {
  it('hides every occurrence of the values named, and nothing else', () => {
    const { apply } = mask({ KEY: 'hunter2', OPEN: 'public' }, ['KEY']);
    expect(apply('hunter2 public hunter2')).toBe(`${MASK} public ${MASK}`);
  });

  it('leaves values under four characters alone', () => {
    expect(mask({ FLAG: 'yes' }, ['FLAG']).apply('yes')).toBe('yes');
    expect(mask({}, ['GONE']).apply('text')).toBe('text');
  });

  it('hides a secret of several lines line by line', () => {
    const { apply } = mask({ PEM: '-----BEGIN-----\nQUJDREVG\n-----END-----' }, ['PEM']);
    expect(apply('key: QUJDREVG')).toBe(`key: ${MASK}`);
  });

  it('hides values that overlap as one, so that no end of either is left', () => {
    const { apply } = mask({ A: 'abcd', B: 'cdefgh' }, ['A', 'B']);
    expect(apply('-abcdefgh-')).toBe(`-${MASK}-`);
    expect(mask({ A: 'abab' }, ['A']).apply('abababab ababab')).toBe(`${MASK} ${MASK}`);
    expect(mask({ A: 'abab' }, ['A']).apply('xababxabab')).toBe(`x${MASK}x${MASK}`);
  });

  it('hides the parts of a value around a lone return, for lines are cut there', () => {
    const { apply } = mask({ KEY: 'first\rsecond' }, ['KEY']);
    expect(apply('first and second')).toBe(`${MASK} and ${MASK}`);
  });

  it('leaves nothing of a value in view, wherever values stand and overlap', () => {
    const letters = (minLength: number, maxLength: number) =>
      fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength, maxLength });
    fc.assert(
      fc.property(letters(4, 6), letters(4, 8), letters(0, 40), (a, b, text) => {
        const hidden = Array.from(text, () => false);
        for (const value of [a, b])
          for (let at = text.indexOf(value); at !== -1; at = text.indexOf(value, at + 1))
            hidden.fill(true, at, at + value.length);
        const shown = mask({ A: a, B: b }, ['A', 'B']).apply(text).replaceAll('*', '');
        expect(shown).toBe([...text].filter((_, n) => !hidden[n]).join(''));
      }),
      { numRuns: 500 },
    );
  });

  it('shows no whole value, also when one secret contains another', () => {
    const value = fc
      .string({ minLength: 4, maxLength: 8 })
      .filter((v) => v.trim().length >= 4 && !v.includes('*'));
    fc.assert(
      fc.property(value, value, fc.string(), (a, b, around) => {
        const shown = mask({ A: a, B: `${a}${b}` }, ['A', 'B']).apply(`${around}${a}${b}${around}${a}`);
        expect(shown.includes(a)).toBe(false);
      }),
    );
  });
});
