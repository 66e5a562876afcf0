// Who leads, against the real lease.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Leadership } from '../../../scheduler/leadership.ts';
import { systemClock } from '../../../shared/platform/clock.ts';
import type { LeaderLease } from '../../../shared/ports/coordination.ts';
import { uniqueName } from '../../support/servers.ts';
import { waitFor } from '../../support/wait-for.ts';
import { Bed, log } from './bed.ts';

let bed: Bed;
beforeAll(async () => {
  bed = await Bed.open();
});
afterAll(() => bed.close());

function compete(ttlMs: number, lease: LeaderLease = bed.redis.lease) {
  const seen: boolean[] = [];
  const holder = uniqueName('sched-');
  const leadership: Leadership = new Leadership({
    lease,
    clock: systemClock,
    log,
    holder,
    ttlMs,
    onChange: () => seen.push(leadership.holds()),
  });
  leadership.start();
  return { leadership, holder, seen };
}
const holds = (leadership: Leadership) => waitFor(() => leadership.holds(), { what: 'the lease' });

describe('leadership', () => {
  it('is held by one, over renewals, and goes to the next at once when it is given up', async () => {
    const first = compete(1_000);
    await holds(first.leadership);
    const second = compete(60_000);
    const until = performance.now() + 2_500;
    await waitFor(
      () => {
        expect(first.leadership.holds() && !second.leadership.holds()).toBe(true);
        return performance.now() > until;
      },
      { what: 'two lease times to pass' },
    );
    expect(first.seen).toEqual([true]);
    await first.leadership.stop();
    expect(first.leadership.holds()).toBe(false);
    await holds(second.leadership);
    expect(second.leadership.wins).toBe(1);
    await second.leadership.stop();
    expect(await bed.redis.lease.holder()).toBeNull();
  });

  it('ends when somebody else has the lease', async () => {
    const { leadership, holder, seen } = compete(900);
    await holds(leadership);
    await bed.redis.lease.release(holder);
    expect(await bed.redis.lease.hold('thief', 60_000)).toBe(true);
    await waitFor(() => !leadership.holds(), { what: 'the end of leadership' });
    expect(seen).toEqual([true, false]);
    await bed.redis.lease.release('thief');
    await holds(leadership);
    expect(leadership.wins).toBe(2);
    await leadership.stop();
  });

  it('ends by its own clock when no answer comes', async () => {
    let cut = false;
    let lastAsked = 0;
    const { lease } = bed.redis;
    const { leadership } = compete(800, {
      hold: async (holder, ttlMs) => {
        if (cut) return new Promise<boolean>(() => undefined);
        lastAsked = performance.now();
        return lease.hold(holder, ttlMs);
      },
      release: (holder) => lease.release(holder),
      holder: () => lease.holder(),
    });
    await holds(leadership);
    cut = true;
    await waitFor(() => !leadership.holds(), { what: 'the end of leadership', everyMs: 5 });
    // Never longer than Redis keeps others away.
    expect(performance.now() - lastAsked).toBeGreaterThan(700);
    cut = false;
    await holds(leadership);
    await leadership.stop();
  });
});
