import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { RedisParts } from '../../../shared/adapters/redis/open.ts';
import type { UsageSeries } from '../../../shared/model/usage-series.ts';
import { OwnRedis } from '../../support/own-redis.ts';
import { TestCluster } from '../queue/parts.ts';

const cluster = new TestCluster();
let runner: RedisParts;
let api: RedisParts;

beforeAll(async () => {
  runner = await cluster.open();
  api = await cluster.open();
});
beforeEach(() => cluster.dropKeys());
afterAll(() => cluster.close());

const series: UsageSeries = {
  startAt: 1_700_000_000_000,
  stepMs: 2_000,
  points: [
    [0, 1, 250, 12.5],
    [7, 3, 1_000, 64],
  ],
};

describe('the board of usage', () => {
  it('shows what each attempt used to every process', async () => {
    await runner.usage.set('task-a', 1, series);
    await runner.usage.set('task-a', 2, { ...series, points: [] });
    await runner.usage.set('task-a', 1, { ...series, stepMs: 4_000 });
    expect(await api.usage.get('task-a', 1)).toEqual({ ...series, stepMs: 4_000 });
    expect(await api.usage.get('task-a', 2)).toEqual({ ...series, points: [] });
    expect(await api.usage.get('task-a', 3)).toBeNull();
  });

  it('keeps it for an hour', async () => {
    await runner.usage.set('task-a', 1, series);
    const [key = ''] = await cluster.keys('usage:*');
    const left = Number(await cluster.command('PTTL', key));
    expect(left).toBeGreaterThan(3_500_000);
    expect(left).toBeLessThanOrEqual(3_600_000);
  });

  it('knows nothing where it cannot read', async () => {
    await cluster.command('SET', `${cluster.prefix}:usage:task-b:1`, '{"half');
    expect(await api.usage.get('task-b', 1)).toBeNull();
  });

  it('never fails whoever writes, and tells whoever reads, while Redis is away', async () => {
    const own = await OwnRedis.prepare();
    onTestFinished(() => own.remove());
    const redis = await cluster.open({ url: own.url });
    await redis.usage.set('task-a', 1, series);
    await expect(redis.usage.get('task-a', 1)).rejects.toMatchObject({ code: 'queue_unavailable' });
    await redis.close();
  });
});
