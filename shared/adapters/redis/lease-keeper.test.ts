import { expect, it } from 'vitest';
import { silentLog } from '../../platform/log.ts';
import { RedisLeaseKeeper } from './lease-keeper.ts';

it('holds up nobody on a machine that is short of threads, and ends with whoever asked for it', async () => {
  let tries = 0;
  const keeper = new RedisLeaseKeeper({
    url: 'redis://127.0.0.1:1',
    prefix: 'none',
    log: silentLog(),
    openThread: () => {
      tries += 1;
      throw new Error('no more threads');
    },
  });
  const kept = keeper.keep({ workerId: 'worker-1', incarnation: 'life-1', leaseMs: 1_000, silenceMs: 4_000 });
  kept.signOfLife();
  expect(kept.sinceRenewedMs()).toBe(Number.POSITIVE_INFINITY);
  await kept.stop();
  expect(tries).toBe(1);
});
