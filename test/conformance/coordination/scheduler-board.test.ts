import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { RedisParts } from '../../../shared/adapters/redis/open.ts';
import { DEFAULT_RULES, type SchedulerReport } from '../../../shared/model/scheduling.ts';
import { OwnRedis } from '../../support/own-redis.ts';
import { waitFor } from '../../support/wait-for.ts';
import { TestCluster } from '../queue/parts.ts';

const cluster = new TestCluster();
let scheduler: RedisParts;
let api: RedisParts;

beforeAll(async () => {
  scheduler = await cluster.open();
  api = await cluster.open();
});
beforeEach(() => cluster.dropKeys());
afterAll(() => cluster.close());

const KEPT_MS = 60_000;
const report: SchedulerReport = {
  at: 1_700_000_000_000,
  term: 3,
  rules: { ...DEFAULT_RULES, policy: 'spread', preemption: true },
  recent: ['worker-1', 'wörker-2'],
  served: [],
  reservations: [
    {
      workerId: 'worker-1',
      groupKey: 'u p5 "c1"',
      taskId: 'task-a',
      since: 1_699_999_000_000,
      until: 1_700_000_600_000,
      tried: ['worker-9'],
    },
  ],
  waiting: 1_000_000,
  lines: 12,
  placed: 345,
  preempted: 2,
};

describe('the board of the scheduler', () => {
  it('shows the newest report to every process', async () => {
    expect(await api.schedulerBoard.read()).toBeNull();
    await scheduler.schedulerBoard.post(report, KEPT_MS);
    expect(await api.schedulerBoard.read()).toEqual(report);
    const next = { ...report, term: 4, recent: [], reservations: [] };
    await scheduler.schedulerBoard.post(next, KEPT_MS);
    expect(await api.schedulerBoard.read()).toEqual(next);
  });

  it('forgets a report that is not posted again, and keeps one that is', async () => {
    await scheduler.schedulerBoard.post(report, 50);
    await waitFor(async () => (await api.schedulerBoard.read()) === null, { what: 'the report to go' });
    await scheduler.schedulerBoard.post(report, 1_000);
    await scheduler.schedulerBoard.post(report, KEPT_MS);
    const [key = ''] = await cluster.keys();
    const left = Number(await cluster.command('PTTL', key));
    expect(left).toBeGreaterThan(1_000);
    expect(left).toBeLessThanOrEqual(KEPT_MS);
  });

  it('knows nothing where it cannot read', async () => {
    await scheduler.schedulerBoard.post(report, KEPT_MS);
    const [key = ''] = await cluster.keys();
    await cluster.command('SET', key, '{"half');
    expect(await api.schedulerBoard.read()).toBeNull();
  });

  it('says that Redis is away', async () => {
    const own = await OwnRedis.prepare();
    onTestFinished(() => own.remove());
    const redis = await cluster.open({ url: own.url, patience: 'fail-fast' });
    const away = { code: 'queue_unavailable' };
    await expect(redis.schedulerBoard.read()).rejects.toMatchObject(away);
    await expect(redis.schedulerBoard.post(report, KEPT_MS)).rejects.toMatchObject(away);
    await redis.close();
  });
});
