// (d) The leader is killed in the midst of placing: how long until the other places, and whether all came out even.

import { setImmediate } from 'node:timers/promises';
import { waitFor } from '../../test/support/wait-for.ts';
import { BATCH, SMALL, Stage } from './stage.ts';

export interface Failover {
  /** Placed by the first leader. */
  readonly before: number;
  /** From SIGKILL until the first placement of the other. */
  readonly gapMs: number;
  readonly placed: number;
  /** Tasks that do not have exactly one attempt, and deliveries too many or missing. Both must be 0. */
  readonly uneven: number;
  readonly strayDeliveries: number;
}

export async function killLeader(count: number): Promise<Failover> {
  const stage = await Stage.open();
  try {
    await stage.submit(count, SMALL);
    const workers = await stage.addWorkers(20, (count / 10) * SMALL.cpuMillis);
    const first = stage.startScheduler('first');
    await stage.leading('first');
    const second = stage.startScheduler('second');
    const assigned = async () => (await stage.store.tasks.countByState()).assigned;
    while ((await assigned()) < count / 10) await setImmediate();
    const killedAt = Date.now();
    await first.end('SIGKILL');
    await waitFor(async () => (await assigned()) === count, {
      what: `${count} placements`,
      deadlineMs: 120_000,
      everyMs: 20,
    });
    let [before, placed, uneven, firstAt] = [0, 0, 0, Number.POSITIVE_INFINITY];
    for (let next: string | undefined | null; next !== null; ) {
      const page = await stage.store.tasks.list({}, { limit: BATCH, before: next });
      for (const { attempts } of page.tasks) {
        placed += 1;
        const [only] = attempts;
        if (!only || attempts.length !== 1) uneven += 1;
        else if (only.term === 1) before += 1;
        else firstAt = Math.min(firstAt, only.assignedAt);
      }
      next = page.next;
    }
    const depth = async () => {
      const depths = await Promise.all(workers.map((id) => stage.redis.deliveries.depth(id)));
      return depths.reduce((sum, one) => sum + one, 0);
    };
    // What the first had placed and not delivered is delivered by the next reconcile.
    await waitFor(async () => (await depth()) === count, { what: 'deliveries', deadlineMs: 60_000 }).catch(
      () => undefined,
    );
    const strayDeliveries = Math.abs((await depth()) - count);
    await second.end('SIGTERM');
    return { before, gapMs: firstAt - killedAt, placed, uneven, strayDeliveries };
  } finally {
    await stage.close();
  }
}
