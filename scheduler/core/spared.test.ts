import { describe, expect, it } from 'vitest';
import type { Attempt, Eviction } from '../../shared/model/task.ts';
import { sparedUntil, WITHIN_MS } from './spared.ts';

const NOW = 10 * WITHIN_MS;
const evicted = (requestedAt: number, cause: Eviction['cause'] = 'preempted'): Attempt =>
  ({ eviction: { requestedAt, cause, message: '' } }) as Attempt;

describe('a task that left for others', () => {
  it('is spared after the third time within an hour, until the first is an hour ago', () => {
    const [a, b, c] = [NOW - 3_000, NOW - 2_000, NOW - 1_000];
    expect(sparedUntil({ attempts: [evicted(a), evicted(b)] }, NOW)).toBeNull();
    const three = { attempts: [evicted(b), evicted(a), evicted(c)] };
    expect(sparedUntil(three, NOW)).toBe(a + WITHIN_MS);
    expect(sparedUntil(three, a + WITHIN_MS)).toBeNull();
    const four = { attempts: [...three.attempts, evicted(NOW)] };
    expect(sparedUntil(four, NOW)).toBe(b + WITHIN_MS);
  });

  it('is not spared for leaving a drained worker, or for what was long ago', () => {
    const attempts = [evicted(1), evicted(2), evicted(NOW, 'drained'), evicted(NOW)];
    expect(sparedUntil({ attempts: [...attempts, { eviction: null } as Attempt] }, NOW)).toBeNull();
  });
});
