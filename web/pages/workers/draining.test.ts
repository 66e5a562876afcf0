import { describe, expect, it } from 'vitest';
import { drainEffect, drainSeconds, drainWords } from './draining.ts';

const NOW = Date.parse('2026-01-31T12:00:00.000Z');
const draining = (running: number, until: number | null) => ({
  state: 'draining' as const,
  tasks: { assigned: 0, running },
  drain_until: until === null ? null : new Date(NOW + until).toISOString(),
});

describe('draining', () => {
  it.each([
    ['never', '', 'never'],
    ['now', '', 0],
    ['10m', '5', 600],
    ['1h', '', 3_600],
    ['own', ' 2,5 ', 150],
    ['own', '0', 0],
    ['own', '', null],
    ['own', '-1', null],
    ['own', 'soon', null],
    ['own', '43201', null],
  ] as const)('%s %j is %j seconds', (choice, minutes, seconds) => {
    expect(drainSeconds(choice, minutes)).toBe(seconds);
  });

  it('says before what becomes of the tasks there', () => {
    expect(drainEffect('never', 2)).toContain('2 tasks there may run to the end');
    expect(drainEffect('now', 1)).toContain('1 task there is stopped and begins again');
    expect(drainEffect('10m', 1)).toContain('What is left is stopped');
    expect(drainEffect('now', 0)).toContain('empty at once');
  });

  it('says how it stands', () => {
    expect(drainWords(draining(0, 60_000), NOW)).toContain('is empty');
    expect(drainWords(draining(1, null), NOW)).toBe('Until its 1 task has ended.');
    expect(drainWords(draining(2, 90_000), NOW)).toMatch(/^Draining until .*, in 1m 30s; then 2 tasks move/);
    expect(drainWords(draining(2, 48 * 3_600_000), NOW)).toContain('Feb');
    expect(drainWords(draining(2, -1), NOW)).toContain('2 tasks are being moved');
    expect(drainWords({ ...draining(1, 1), state: 'ready' }, NOW)).toBe('');
  });
});
