import { describe, expect, it } from 'vitest';
import { silentLog } from '../shared/platform/log.ts';
import { waitFor } from '../test/support/wait-for.ts';
import { Recurring } from './recurring.ts';

const log = silentLog();

describe('what recurs', () => {
  it('is done one round at a time, goes on after faults and late rounds, and ends', async () => {
    let rounds = 0;
    let under = 0;
    let most = 0;
    const recurring = new Recurring({
      work: async () => {
        rounds += 1;
        if (rounds === 2) throw new Error('no');
        if (rounds === 3) return new Promise(() => undefined);
        under += 1;
        most = Math.max(most, under);
        await new Promise((resolve) => setImmediate(resolve));
        under -= 1;
      },
      everyMs: 1,
      deadlineMs: 20,
      fault: 'it is not done',
      log,
    });
    recurring.start();
    expect(rounds).toBe(1);
    await waitFor(() => rounds >= 6, { what: 'six rounds' });
    await recurring.stop();
    const atEnd = rounds;
    const until = performance.now() + 30;
    await waitFor(() => performance.now() > until, { what: 'time for more rounds' });
    expect([rounds, most]).toEqual([atEnd, 1]);
  });

  it('tells of a fault once for as long as it lasts', async () => {
    const said: unknown[] = [];
    const faults = [true, true, false, true];
    let rounds = 0;
    const recurring = new Recurring({
      work: async () => {
        const fails = faults[rounds];
        rounds += 1;
        if (fails) throw new Error('away');
      },
      everyMs: 1,
      deadlineMs: 1_000,
      fault: 'it is not done',
      log: Object.assign(Object.create(log), { warn: (...of: unknown[]) => said.push(of) }),
    });
    recurring.start();
    await waitFor(() => rounds > faults.length, { what: 'all rounds' });
    await recurring.stop();
    expect(said).toEqual([
      [{ fault: 'away' }, 'it is not done'],
      [{ fault: 'away' }, 'it is not done'],
    ]);
  });
});
