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
