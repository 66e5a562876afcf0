import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { RedisParts } from '../../../shared/adapters/redis/open.ts';
import type { TaskProgress } from '../../../shared/model/progress.ts';
import { newTaskId } from '../../../shared/platform/ids.ts';
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

const progressOf = (over: Partial<TaskProgress> = {}): TaskProgress => ({
  taskId: 'task-a',
  attempt: 1,
  phase: 'pulling',
  percent: 41.5,
  message: 'pulling "busybox" – 2 of 3 layers',
  layers: { done: 2, total: 3 },
  bytes: { done: 10, total: 25 },
  at: 1_700_000_000_000,
  ...over,
});

describe('the board of progress', () => {
  it('shows the newest progress of each task to every process', async () => {
    const other = progressOf({
      taskId: 'task-b',
      phase: 'running',
      layers: null,
      bytes: null,
      percent: null,
    });
    await runner.progress.set(progressOf({ percent: 1 }));
    await runner.progress.set(progressOf());
    await runner.progress.set(other);
    const seen = await api.progress.get(['task-b', 'task-none', 'task-a']);
    expect(seen.toSorted((a, b) => a.taskId.localeCompare(b.taskId))).toEqual([progressOf(), other]);
    expect(await api.progress.get([])).toEqual([]);
  });

  it('is not covered by an older attempt that comes late', async () => {
    const second = progressOf({ attempt: 2, phase: 'preparing' });
    await runner.progress.set(second);
    await runner.progress.set(progressOf({ attempt: 1, phase: 'collecting' }));
    expect(await api.progress.get(['task-a'])).toEqual([second]);
    const tenth = progressOf({ attempt: 10 });
    await runner.progress.set(tenth);
    expect(await api.progress.get(['task-a'])).toEqual([tenth]);
  });

  it('gives that of many tasks at once', async () => {
    const ids = Array.from({ length: 1_203 }, () => newTaskId());
    await Promise.all(ids.map((taskId) => runner.progress.set(progressOf({ taskId }))));
    const seen = await api.progress.get(ids);
    expect(new Set(seen.map(({ taskId }) => taskId))).toEqual(new Set(ids));
  });

  it('keeps it for a day', async () => {
    await runner.progress.set(progressOf());
    const [key = ''] = await cluster.keys('progress:*');
    const left = Number(await cluster.command('PTTL', key));
    expect(left).toBeGreaterThan(86_000_000);
    expect(left).toBeLessThanOrEqual(86_400_000);
  });

  it('leaves out what it cannot read', async () => {
    await runner.progress.set(progressOf());
    await cluster.command('HSET', `${cluster.prefix}:progress:task-b`, 'attempt', '1', 'body', '{"half');
    expect(await api.progress.get(['task-b', 'task-a'])).toEqual([progressOf()]);
  });

  it('never fails whoever writes, and tells whoever reads, while Redis is away', async () => {
    const own = await OwnRedis.prepare();
    onTestFinished(() => own.remove());
    const redis = await cluster.open({ url: own.url });
    await redis.progress.set(progressOf());
    await expect(redis.progress.get(['task-a'])).rejects.toMatchObject({ code: 'queue_unavailable' });
    await redis.close();
  });
});
