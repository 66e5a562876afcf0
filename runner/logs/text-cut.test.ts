import { describe, expect, it } from 'vitest';
import { cutText } from './text-cut.ts';

describe('cutting text', () => {
  it('keeps what fits, and never half a character', () => {
    expect(cutText('abc', 3)).toBe('abc');
    expect(cutText('abcd', 3)).toBe('abc');
    expect(cutText('ab😀', 3)).toBe('ab');
    expect(cutText('a😀b', 3)).toBe('a😀');
  });
});
