import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import type { RedisParts } from '../../../shared/adapters/redis/open.ts';
import { NO_USAGE } from '../../../shared/model/worker.ts';
import type { Heartbeat } from '../../../shared/ports/coordination.ts';
import { sourceLeaseKeeper } from '../../support/source-thread.ts';
import { waitFor } from '../../support/wait-for.ts';
import { TestCluster } from '../queue/parts.ts';

const cluster = new TestCluster();
let runner: RedisParts;

beforeAll(async () => {
  runner = await cluster.open();
});
afterAll(() => cluster.close());

const beatOf = (over: Partial<Heartbeat> = {}): Heartbeat => ({
  workerId: 'worker-1',
  identity: 'machine-1',
  incarnation: 'life-1',
  usage: NO_USAGE,
  running: [],
  troubles: [],
  ...over,
});
const isPresent = async () => (await runner.presence.present()).length === 1;

it('extends a lease for the incarnation that holds it, and makes none', async () => {
  expect(await runner.presence.extend('worker-1', 'life-1', 60_000)).toBe(false);
  expect(await isPresent()).toBe(false);
  await runner.presence.beat(beatOf(), 60_000, true);
  expect(await runner.presence.extend('worker-1', 'life-0', 90_000)).toBe(false);
  expect(await runner.presence.extend('worker-1', 'life-1', 90_000)).toBe(true);
  const [key = ''] = await cluster.keys('presence:worker-1');
  expect(Number(await cluster.command('PTTL', key))).toBeGreaterThan(60_000);
  await runner.presence.leave('worker-1', 'life-1');
});

it('is kept from a thread while its loop shows signs of life, and not for a loop that hangs', async () => {
  const leaseMs = 3_000;
  await runner.presence.beat(beatOf(), leaseMs, true);
  const lease = { workerId: 'worker-1', incarnation: 'life-1', leaseMs, silenceMs: leaseMs };
  const kept = sourceLeaseKeeper(cluster.prefix).keep(lease);
  onTestFinished(() => kept.stop());
  const untilRenewed = (what: string) =>
    waitFor(
      async () => {
        kept.signOfLife();
        await runner.presence.beat(beatOf(), leaseMs, false);
        return kept.sinceRenewedMs() < leaseMs;
      },
      { what, deadlineMs: 30_000 },
    );
  await untilRenewed('the thread');
  // Nobody shows a sign of life here any more: it runs out, and is left so.
  await waitFor(async () => !(await isPresent()), { what: 'the lease to run out', deadlineMs: 30_000 });
  expect(kept.sinceRenewedMs()).toBeGreaterThanOrEqual(leaseMs * 0.75);
  await untilRenewed('the thread to go on');
});
