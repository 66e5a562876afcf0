import { describe, expect, it } from 'vitest';
import { DEFAULT_RULES, type Reservation, type SchedulerReport } from '../shared/model/scheduling.ts';
import { silentLog } from '../shared/platform/log.ts';
import { NO_MEMORY } from './core/snapshot.ts';
import { readLastReport } from './reporting.ts';

const kept: Reservation = { workerId: 'w1', groupKey: 'k', taskId: 't', since: 1, until: 2, tried: [] };
const whole: SchedulerReport = {
  ...{ at: 1, term: 1, rules: DEFAULT_RULES, recent: ['w1'], reservations: [kept] },
  ...{ waiting: 0, lines: 0, placed: 0, preempted: 0 },
};
const reading = (told: unknown) =>
  readLastReport({
    board: { post: async () => undefined, read: async () => told as SchedulerReport },
    log: silentLog(),
  });

describe('what a new leader takes over', () => {
  it('is what the one before kept between passes', async () => {
    expect(await reading(whole)).toEqual({ recent: ['w1'], reservations: [kept] });
    expect(await reading(null)).toEqual(NO_MEMORY);
  });

  it('is only as much as it can read, when a leader of another release told it', async () => {
    expect(await reading({ at: 1 })).toEqual(NO_MEMORY);
    expect(await reading({ ...whole, recent: undefined })).toEqual({ recent: [], reservations: [kept] });
    expect(await reading({ ...whole, recent: ['w1', 7], reservations: [{ workerId: 'w1' }, kept] })).toEqual({
      recent: ['w1'],
      reservations: [kept],
    });
  });
});
