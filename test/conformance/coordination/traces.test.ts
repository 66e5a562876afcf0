import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import type { RedisParts } from '../../../shared/adapters/redis/open.ts';
import { OwnRedis } from '../../support/own-redis.ts';
import { TestCluster } from '../queue/parts.ts';

const cluster = new TestCluster();
let redis: RedisParts;

beforeAll(async () => {
  redis = await cluster.open();
});
afterAll(() => cluster.close());

it('drops all that Redis shows of a task, of each of its attempts, and of no other', async () => {
  const batch = { firstSeq: 1, lastSeq: 1, lines: [{ seq: 1, ts: 1, stream: 'stdout', line: 'x' } as const] };
  const series = { startAt: 1, stepMs: 2, points: [] };
  for (const taskId of ['task-a', 'task-b']) {
    for (const attempt of [1, 2]) {
      await redis.liveLogs.publish(taskId, attempt, batch);
      await redis.usage.set(taskId, attempt, series);
    }
    await redis.progress.set({ taskId, attempt: 2, at: 1 } as never);
  }
  expect(await cluster.keys('*task-a*')).toHaveLength(5);
  await redis.traces.forget([{ taskId: 'task-a', attempts: 2 }]);
  await redis.traces.forget([]);
  expect(await cluster.keys('*task-a*')).toEqual([]);
  expect(await cluster.keys('*task-b*')).toHaveLength(5);
});

it('never fails while Redis is away', async () => {
  const own = await OwnRedis.prepare();
  onTestFinished(() => own.remove());
  const away = await cluster.open({ url: own.url });
  await away.traces.forget([{ taskId: 'task-a', attempts: 1 }]);
  await away.close();
});
