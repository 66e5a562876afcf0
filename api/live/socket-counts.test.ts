import { describe, expect, it } from 'vitest';
import { MAX_ANONYMOUS, MAX_SOCKETS_PER_USER, SocketCounts } from './socket-counts.ts';

describe('the count of sockets', () => {
  it('is bounded for each user, and for nobody in particular', () => {
    const counts = new SocketCounts();
    const free = Array.from({ length: MAX_SOCKETS_PER_USER }, () => counts.take('alice'));
    expect(() => counts.take('alice')).toThrow(/100 sockets/);
    counts.take('bob');
    for (let n = 0; n < MAX_ANONYMOUS; n += 1) counts.take(null);
    expect(() => counts.take(null)).toThrow(/without a token/);
    // Twice is once.
    free[0]?.();
    free[0]?.();
    counts.take('alice');
    expect(() => counts.take('alice')).toThrow();
  });

  it('takes one connect of a connection at a time', () => {
    const counts = new SocketCounts();
    const [one, other] = [{}, {}];
    expect(counts.begin(one)).toBe(true);
    expect(counts.begin(one)).toBe(false);
    expect(counts.begin(other)).toBe(true);
    counts.end(one);
    expect(counts.begin(one)).toBe(true);
  });
});
