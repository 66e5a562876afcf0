import { describe, expect, it } from 'vitest';
import { DEFAULT_RULES, type Reservation, type SchedulerReport } from '../shared/model/scheduling.ts';
import { silentLog } from '../shared/platform/log.ts';
import { NO_MEMORY } from './core/snapshot.ts';
import { Tally } from './core/tally.ts';
import { readLastReport } from './reporting.ts';

const kept: Reservation = { workerId: 'w1', groupKey: 'k', taskId: 't', since: 1, until: 2, tried: [] };
const whole: SchedulerReport = {
  ...{ at: 1, term: 1, rules: DEFAULT_RULES, recent: ['w1'], reservations: [kept] },
  served: [['k', 7]],
  ...{ waiting: 0, lines: 0, placed: 0, preempted: 0 },
};
const reading = (told: unknown) =>
  readLastReport({
    board: { post: async () => undefined, read: async () => told as SchedulerReport },
    log: silentLog(),
  });

describe('what a new leader takes over', () => {
  it('is what the one before kept between passes, and when lines were served', async () => {
    const memory = { recent: ['w1'], reservations: [kept] };
    expect(await reading(whole)).toEqual({ memory, served: [['k', 7]], counted: null });
    expect(await reading(null)).toEqual({ memory: NO_MEMORY, counted: null, served: [] });
  });

  it('is only as much as it can read, when a leader of another release told it', async () => {
    expect(await reading({ at: 1 })).toEqual({ memory: NO_MEMORY, counted: null, served: [] });
    const odd = {
      ...whole,
      recent: ['w1', 7],
      reservations: [{ workerId: 'w1' }, kept],
      served: ['k', ['k', 'x']],
    };
    expect(await reading(odd)).toEqual({
      memory: { recent: ['w1'], reservations: [kept] },
      served: [],
      counted: null,
    });
    const { memory } = await reading({ ...whole, recent: undefined, served: undefined });
    expect(memory).toEqual({ recent: [], reservations: [kept] });
  });

  it('is what it had counted, and when', async () => {
    const counts = new Tally().read();
    expect(await reading({ ...whole, counts })).toMatchObject({ counted: { counts, at: 1 } });
  });
});
