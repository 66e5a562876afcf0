import { describe, expect, it } from 'vitest';
import { Transfers } from './transfers.ts';

describe('files under way', () => {
  it('are bounded for one user and for all, and make room when they end', () => {
    const transfers = new Transfers();
    const ends = Array.from({ length: 64 }, () => transfers.begin('alice'));
    expect(() => transfers.begin('alice')).toThrow('64 of your files');
    ends[0]?.();
    ends[0]?.();
    ends.push(transfers.begin('alice'));
    expect(() => transfers.begin('alice')).toThrow();
    for (let others = 64; others < 1_000; others += 1) ends.push(transfers.begin(`user-${others}`));
    expect(() => transfers.begin('bob')).toThrow('too many files');
    for (const end of ends) end();
    for (let one = 0; one < 64; one += 1) transfers.begin('alice');
  });
});
