import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { RedisParts } from '../../../shared/adapters/redis/open.ts';
import type { AttemptLimiter } from '../../../shared/ports/coordination.ts';
import { OwnRedis } from '../../support/own-redis.ts';
import { uniqueName } from '../../support/servers.ts';
import { waitFor } from '../../support/wait-for.ts';
import { TestCluster } from '../queue/parts.ts';

const cluster = new TestCluster();
let here: RedisParts;
let there: RedisParts;

beforeAll(async () => {
  here = await cluster.open({ patience: 'fail-fast' });
  there = await cluster.open({ patience: 'fail-fast' });
});
afterAll(() => cluster.close());

const limits = { keyPrefix: 'login', maxFailures: 3, windowSeconds: 60 };
const newKey = () => uniqueName('user-');

async function failTimes(limiter: AttemptLimiter, key: string, times: number): Promise<void> {
  for (let i = 0; i < times; i += 1) await limiter.fail(key);
}

describe('the limiter of attempts', () => {
  it('blocks after so many failures and says for how long, in every process', async () => {
    const [one, other] = [here.limiter(limits), there.limiter(limits)];
    const key = newKey();
    expect(await one.blockedFor(key)).toBe(0);
    await one.fail(key);
    await other.fail(key);
    expect(await one.blockedFor(key)).toBe(0);
    await other.fail(key);
    for (const limiter of [one, other]) {
      const seconds = await limiter.blockedFor(key);
      expect(seconds).toBeGreaterThan(55);
      expect(seconds).toBeLessThanOrEqual(60);
      expect(Number.isInteger(seconds)).toBe(true);
    }
  });

  it('does not mix up keys or limiters', async () => {
    const limiter = here.limiter(limits);
    const [key, neighbour] = [newKey(), newKey()];
    await failTimes(limiter, key, 3);
    expect(await limiter.blockedFor(neighbour)).toBe(0);
    expect(await here.limiter({ ...limits, keyPrefix: 'other' }).blockedFor(key)).toBe(0);
  });

  it('forgets a key that is reset', async () => {
    const limiter = here.limiter(limits);
    const key = newKey();
    await failTimes(limiter, key, 3);
    await there.limiter(limits).reset(key);
    expect(await limiter.blockedFor(key)).toBe(0);
    await failTimes(limiter, key, 2);
    expect(await limiter.blockedFor(key)).toBe(0);
    await limiter.fail(key);
    expect(await limiter.blockedFor(key)).toBeGreaterThan(0);
    await limiter.reset(newKey());
  });

  it('blocks for a whole window from the last failure, and then no more', async () => {
    const limiter = here.limiter({ ...limits, keyPrefix: 'short', windowSeconds: 4 });
    const key = newKey();
    await limiter.fail(key);
    const shared = `${cluster.prefix}:limit:short:${key}`;
    await waitFor(async () => Number(await cluster.command('PTTL', shared)) < 2_500, {
      what: 'a part of the window to pass',
    });
    await failTimes(limiter, key, 2);
    expect(Number(await cluster.command('PTTL', shared))).toBeGreaterThan(2_500);
    expect(await limiter.blockedFor(key)).toBeGreaterThanOrEqual(3);
    await waitFor(async () => (await limiter.blockedFor(key)) === 0, { what: 'the block to end' });
  });

  it('is not made longer by failures during the block', async () => {
    const limiter = here.limiter({ ...limits, keyPrefix: 'fixed' });
    const key = newKey();
    await failTimes(limiter, key, 3);
    const shared = `${cluster.prefix}:limit:fixed:${key}`;
    await cluster.command('PEXPIRE', shared, '20000');
    await failTimes(limiter, key, 5);
    expect(await limiter.blockedFor(key)).toBeLessThanOrEqual(20);
    expect(await limiter.blockedFor(key)).toBeGreaterThan(0);
  });

  it('goes on by itself while Redis is away, quickly, and keeps a block it knows of', async () => {
    const own = await OwnRedis.started();
    onTestFinished(() => own.remove());
    const redis = await cluster.open({ url: own.url, patience: 'fail-fast' });
    const limiter = redis.limiter(limits);
    const [blocked, fresh] = [newKey(), newKey()];
    await failTimes(limiter, blocked, 3);
    await own.kill();
    const start = performance.now();
    expect(await limiter.blockedFor(blocked)).toBeGreaterThan(0);
    await failTimes(limiter, fresh, 2);
    expect(await limiter.blockedFor(fresh)).toBe(0);
    await limiter.fail(fresh);
    expect(await limiter.blockedFor(fresh)).toBeGreaterThan(0);
    await limiter.reset(blocked);
    expect(await limiter.blockedFor(blocked)).toBe(0);
    expect(performance.now() - start).toBeLessThan(5_000);
    await own.start();
    await waitFor(() => redis.ping().then(() => true), { what: 'Redis to be back' });
    await failTimes(limiter, fresh, 3);
    expect(await limiter.blockedFor(fresh)).toBeGreaterThan(0);
    await redis.close();
  });
});
