import { describe, expect, it } from 'vitest';
import { OutputPage } from './output-page.ts';
import { PageSize } from './page-size.ts';

function learned(lineChars: number, count = 100): number {
  const size = new PageSize();
  const lines = Array.from({ length: count }, (_, n) => ({
    seq: n + 1,
    ts: 1,
    stream: 'stdout' as const,
    line: 'x'.repeat(lineChars),
  }));
  size.learn(new OutputPage(1, lines));
  return size.lines;
}

describe('the size of a page', () => {
  it('follows the length of the lines, within bounds', () => {
    expect(new PageSize().lines).toBe(500);
    expect(learned(136)).toBe(2_000);
    expect(learned(0)).toBe(4_000);
    expect(learned(16_384)).toBe(24);
    expect(learned(1_000_000, 2)).toBe(16);
  });
});
