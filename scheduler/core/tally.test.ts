import { describe, expect, it } from 'vitest';
import { MOST_TAGS, WAIT_BOUNDS } from '../../shared/model/cluster-counts.ts';
import type { Attempt, Task } from '../../shared/model/task.ts';
import { makeTask } from '../../test/support/tasks.ts';
import { Tally } from './tally.ts';

const END = { state: 'completed', reason: null, tag: 't', startedAt: 1_000, finishedAt: 3_000 } as const;

function returned(over: Partial<Attempt>): Pick<Task, 'id' | 'attempts'> {
  const { id } = makeTask();
  return {
    id,
    attempts: [{ number: 1, finishedAt: 2_000, reason: null, eviction: null, ...over } as Attempt],
  };
}

function begun(now = 0): Tally {
  const tally = new Tally();
  tally.resume(null, now);
  return tally;
}

describe('a tally', () => {
  it('counts placements with how long each waited, and ends with how long each ran', () => {
    const tally = begun();
    tally.placed('t', 70);
    tally.placed('', 600_000_000);
    tally.ended(END, true);
    tally.ended({ ...END, startedAt: null, state: 'cancelled' }, null);
    tally.ended({ ...END, state: 'failed', reason: 'exit_code' }, null);
    tally.ended(END, false);
    const { placements, waits, runs, ended, inTime, late, upTo } = tally.read();
    expect({ placements, ended, inTime, late, upTo }).toEqual({
      placements: 2,
      ended: { completed: 2, cancelled: 1, 'failed/exit_code': 1 },
      inTime: 1,
      late: 1,
      upTo: 3_000,
    });
    expect(waits.t?.counts.indexOf(1)).toBe(WAIT_BOUNDS.indexOf(0.1));
    expect(waits.t?.sum).toBe(0.07);
    expect(waits.none?.counts.at(-1)).toBe(1);
    expect(runs.t).toMatchObject({ sum: 6 });
    expect(runs.t?.counts.reduce((a, b) => a + b)).toBe(3);
  });

  it('tells own failures, faults of workers and evictions apart, and counts a return once', () => {
    const tally = begun();
    const own = returned({ state: 'failed', reason: 'exit_code' });
    for (const one of [own, own, returned({ state: 'lost', reason: 'worker_lost' })]) tally.returned(one);
    const eviction = { requestedAt: 1, cause: 'preempted', message: '' } as const;
    tally.returned(returned({ state: 'evicted', eviction }));
    tally.ended({ ...END, state: 'failed', reason: 'worker_lost' }, null);
    expect(tally.read()).toMatchObject({
      retries: { exit_code: 1, worker_lost: 1 },
      losses: { worker_lost: 2 },
      evictions: { preempted: 1 },
    });
  });

  it('goes on from what another leader told, and counts nothing of that again', () => {
    const before = begun();
    before.placed('t', 1);
    before.ended(END, true);
    before.returned(returned({ state: 'failed', reason: 'oom_killed' }));
    const after = new Tally();
    after.resume({ counts: JSON.parse(JSON.stringify(before.read())), at: 4_000 }, 9_000);
    expect(after.read()).toEqual(before.read());
    after.ended(END, true);
    after.returned(returned({ state: 'failed', reason: 'oom_killed' }));
    expect(after.read()).toEqual(before.read());
    after.ended({ ...END, finishedAt: 3_001 }, true);
    after.returned(returned({ state: 'failed', reason: 'oom_killed', finishedAt: 4_001 }));
    expect(after.read()).toMatchObject({ inTime: 2, retries: { oom_killed: 2 } });
  });

  it.each([
    ['nothing', null],
    [
      'another form',
      { at: 5, counts: { waits: { t: { counts: [1], sum: 'x' } }, ended: 7, placements: -1 } },
    ],
  ])('begins anew from %s', (_what, before) => {
    const tally = new Tally();
    tally.resume(before as never, 5_000);
    tally.ended(END, true);
    expect(tally.read()).toMatchObject({ placements: 0, ended: {}, upTo: 5_000 });
  });

  it('keeps few series, whatever the tags', () => {
    const tally = begun();
    for (let n = 0; n < 5_000; n += 1) tally.placed(`tag-${n % 1_000}`, 5);
    const { waits } = tally.read();
    expect(Object.keys(waits).length).toBeLessThanOrEqual(MOST_TAGS + 1);
    expect(JSON.stringify(tally.read()).length).toBeLessThan(10_000);
  });
});
