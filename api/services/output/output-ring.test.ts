import { describe, expect, it } from 'vitest';
import { line, page, seqs } from '../../../test/support/log-lines.ts';
import { OutputPage } from './output-page.ts';
import { OutputRing } from './output-ring.ts';

describe('the ring', () => {
  it('holds what follows, once', () => {
    const ring = new OutputRing(4);
    expect(seqs(ring.append(page(4, 6), 10_000))).toEqual([4, 5, 6]);
    expect(ring.append(page(1, 6), 10_000)).toBeNull();
    expect(seqs(ring.append(page(5, 8), 10_000))).toEqual([7, 8]);
    expect(ring.next).toBe(9);
    expect(() => ring.append(page(10, 10), 10_000)).toThrow(RangeError);
    expect(seqs(ring.pageFrom(5))).toEqual([5, 6]);
    expect(seqs(ring.pageFrom(8))).toEqual([8]);
    expect(ring.pageFrom(9)).toBeNull();
    expect(ring.pageFrom(3)).toBeNull();
  });

  it('forgets the oldest, never the newest', () => {
    const ring = new OutputRing(1);
    const size = page(1, 10).chars;
    for (const first of [1, 11, 21, 31]) ring.append(page(first, first + 9), size * 2 + 50);
    expect(ring.pageFrom(20)).toBeNull();
    expect(seqs(ring.pageFrom(21))?.length).toBe(10);
    expect(ring.chars).toBeLessThanOrEqual(size * 2 + 50);
    ring.append(new OutputPage(1, [line(41, { line: 'x'.repeat(100_000) })]), size * 2 + 50);
    expect(seqs(ring.pageFrom(41))).toEqual([41]);
    expect(ring.pageFrom(40)).toBeNull();
  });

  it('begins anew elsewhere', () => {
    const ring = new OutputRing(1);
    ring.append(page(1, 3), 10_000);
    ring.restart(100);
    expect([ring.next, ring.chars, ring.pageFrom(2)]).toEqual([100, 0, null]);
    expect(seqs(ring.append(page(99, 101), 10_000))).toEqual([100, 101]);
  });
});
