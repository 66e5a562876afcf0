import { describe, expect, it } from 'vitest';
import { makeQueueEntry, NO_SCORES } from '../../../test/support/small-api.ts';
import { aboutWords, countReasons, loadQueue, reasonOf } from './queue-view.ts';

const line = Array.from({ length: 1_300 }, (_, n) => makeQueueEntry({ position: n + 1 }));
const asked: { limit: number; cursor?: string }[] = [];
const ask = async (page: { limit: number; cursor?: string }) => {
  asked.push(page);
  const from = Number(page.cursor ?? 0);
  const to = from + page.limit;
  return {
    total: 1_300,
    entries: line.slice(from, to),
    forecasts: NO_SCORES,
    next_cursor: to < line.length ? String(to) : null,
  };
};

describe('the queue', () => {
  it('is loaded as far as it is wanted, page by page', async () => {
    const { entries, next_cursor } = await loadQueue(1_100, ask);
    expect(entries.map(({ position }) => position)).toEqual(Array.from({ length: 1_100 }, (_, n) => n + 1));
    expect(next_cursor).toBe('1100');
    expect(asked.map(({ limit }) => limit)).toEqual([500, 500, 100]);
  });

  it('ends where there is no more', async () => {
    const { entries, next_cursor } = await loadQueue(2_000, ask);
    expect([entries.length, next_cursor]).toEqual([1_300, null]);
  });

  it('is filtered by a reason that is known', () => {
    expect(reasonOf(new URLSearchParams('reason=never'))).toBe('never');
    expect(reasonOf(new URLSearchParams('reason=whatever'))).toBeNull();
    expect(reasonOf(new URLSearchParams())).toBeNull();
  });

  it('counts who waits for what', () => {
    const entries = (['never', 'no_room', 'no_room'] as const).map((reason) => makeQueueEntry({ reason }));
    expect(countReasons(entries)).toEqual([
      ['no_room', 2],
      ['never', 1],
    ]);
  });

  it('tells how tasks did of late, once there is something to tell', () => {
    const reply = { total: 1, entries: [makeQueueEntry()], forecasts: NO_SCORES, next_cursor: null };
    expect(aboutWords(reply, null, true)).toBe('1 task waits.');
    const forecasts = { ...NO_SCORES, scored: 20, within_band: 15, median_error_seconds: 12 };
    const sla = { window_seconds: 86_400, met: 9, missed: 1, attainment: 0.9 };
    expect(aboutWords({ ...reply, total: 1_200, forecasts }, sla, false)).toBe(
      '1,200 tasks wait. You see your own; places count the tasks of all users. In time within the last 24 hours: 90% of 10. Forecasts of the last 24 hours: 75% of 20 started when foretold, half within 12s.',
    );
  });
});
