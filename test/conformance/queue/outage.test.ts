// Redis away at the start, killed, frozen, emptied: calls fail in time, and everything works again by itself.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RedisParts } from '../../../shared/adapters/redis/open.ts';
import { isAppError } from '../../../shared/errors.ts';
import { NO_USAGE } from '../../../shared/model/worker.ts';
import { newTaskId } from '../../../shared/platform/ids.ts';
import { OwnRedis } from '../../support/own-redis.ts';
import { waitFor } from '../../support/wait-for.ts';
import { TestCluster } from './parts.ts';

let cluster: TestCluster;
let own: OwnRedis;

beforeEach(async () => {
  cluster = new TestCluster();
  own = await OwnRedis.prepare();
});
afterEach(async () => {
  own.thaw();
  await cluster.close();
  await own.remove();
});

const entry = () => ({ taskId: newTaskId(), priority: 5, shape: 's' });
const heartbeat = {
  workerId: 'w',
  identity: 'i',
  incarnation: 'a',
  usage: { ...NO_USAGE, cpuPercent: 0, memoryUsedMb: 0, storageUsedMb: 0 },
  running: [],
  troubles: [],
};

/** One of each call that needs Redis. */
const calls = (redis: RedisParts): Record<string, () => Promise<unknown>> => ({
  add: () => redis.intake.add([entry()]),
  remove: () => redis.intake.remove(['task-x']),
  page: () => redis.intake.page(0, 1),
  size: () => redis.intake.size(),
  deliver: () => redis.deliveries.deliver([{ workerId: 'w', taskId: 'task-x', attempt: 1 }]),
  depth: () => redis.deliveries.depth('w'),
  clear: () => redis.deliveries.clear('w'),
  open: async () => (await redis.inbox.open('w', async () => undefined)).close(),
  hold: () => redis.lease.hold('me', 1_000),
  release: () => redis.lease.release('me'),
  holder: () => redis.lease.holder(),
  beat: () => redis.presence.beat(heartbeat, 1_000, true),
  present: () => redis.presence.present(),
  leave: () => redis.presence.leave('w', 'a'),
  ping: () => redis.ping(),
});

async function outcomes(redis: RedisParts): Promise<{ codes: Set<string>; longestMs: number }> {
  let longestMs = 0;
  const seen = await Promise.all(
    Object.entries(calls(redis)).map(async ([name, call]) => {
      const start = performance.now();
      try {
        await call();
        return 'ok';
      } catch (error) {
        if (isAppError(error, 'queue_unavailable') && error.retryable) return error.code;
        return `${name}: ${String(error)}`;
      } finally {
        longestMs = Math.max(longestMs, performance.now() - start);
      }
    }),
  );
  return { codes: new Set(seen), longestMs };
}

const works = (redis: RedisParts) =>
  waitFor(async () => (await outcomes(redis)).codes.size === 1 && (await redis.ping()) === undefined, {
    what: 'every call to work again',
  });

describe.each([
  { patience: 'fail-fast', boundMs: 5_000 },
  { patience: 'patient', boundMs: 10_000 },
] as const)('$patience', ({ patience, boundMs }) => {
  it('opens without Redis, says so in time, and works once it is there', async () => {
    const redis = await cluster.open({ url: own.url, patience });
    const { codes, longestMs } = await outcomes(redis);
    expect([...codes]).toEqual(['queue_unavailable']);
    expect(longestMs).toBeLessThan(boundMs);
    await own.start();
    await works(redis);
    expect([...(await outcomes(redis)).codes]).toEqual(['ok']);
  });

  it('says so in time when Redis was killed, and works once it is back', async () => {
    await own.start();
    const redis = await cluster.open({ url: own.url, patience });
    expect([...(await outcomes(redis)).codes]).toEqual(['ok']);
    await own.kill();
    const { codes, longestMs } = await outcomes(redis);
    expect([...codes]).toEqual(['queue_unavailable']);
    expect(longestMs).toBeLessThan(boundMs);
    await own.start();
    await works(redis);
    expect([...(await outcomes(redis)).codes]).toEqual(['ok']);
  });

  it('says so in time when Redis hangs, and works once it answers', async () => {
    await own.start();
    const redis = await cluster.open({ url: own.url, patience });
    expect([...(await outcomes(redis)).codes]).toEqual(['ok']);
    own.freeze();
    const start = performance.now();
    await expect(redis.intake.add([entry()])).rejects.toMatchObject({ code: 'queue_unavailable' });
    expect(performance.now() - start).toBeLessThan(boundMs);
    own.thaw();
    await works(redis);
  });
});

describe('an outage', () => {
  it('fails fast after the first fault, not after a wait each time', async () => {
    const redis = await cluster.open({ url: own.url, patience: 'fail-fast' });
    const start = performance.now();
    for (let i = 0; i < 20; i += 1) await redis.ping().catch(() => undefined);
    expect(performance.now() - start).toBeLessThan(10_000);
  });

  it('is waited out by a patient call when it is short', async () => {
    await own.start();
    const redis = await cluster.open({ url: own.url, patience: 'patient' });
    await own.kill();
    const added = redis.intake.add([entry()]);
    await own.start();
    await added;
    expect(await redis.intake.size()).toBe(1);
  });

  it('does not end an open inbox', async () => {
    await own.start();
    const redis = await cluster.open({ url: own.url });
    const seen: string[] = [];
    await redis.inbox.open('w', async ({ taskId }) => void seen.push(taskId));
    await redis.deliveries.deliver([{ workerId: 'w', taskId: 'task-a', attempt: 1 }]);
    await waitFor(() => seen.includes('task-a'), { what: 'a delivery before' });
    await own.kill();
    await own.start();
    await waitFor(
      () =>
        redis.deliveries.deliver([{ workerId: 'w', taskId: 'task-b', attempt: 1 }]).then(
          () => true,
          () => false,
        ),
      { what: 'a delivery to be taken' },
    );
    await waitFor(() => seen.includes('task-b'), { what: 'a delivery after' });
  });

  it('does not end the news of added tasks, wherever it falls', async () => {
    const redis = await cluster.open({ url: own.url });
    const seen: string[] = [];
    await redis.intake.onAdded((ids) => seen.push(...ids));
    const heardAgain = (what: string) =>
      waitFor(
        async () => {
          await redis.intake.add([entry()]);
          return seen.length > 0;
        },
        { what },
      );
    await own.start();
    await heardAgain('news once Redis is there');
    await own.kill();
    await own.start();
    seen.length = 0;
    await heardAgain('news once Redis is back');
  });

  it('that empties Redis leaves queues that fill again', async () => {
    await own.start();
    const redis = await cluster.open({ url: own.url });
    const entries = [entry(), entry()];
    const seen: string[] = [];
    await redis.inbox.open('w', async ({ taskId }) => void seen.push(taskId));
    await redis.intake.add(entries);
    await own.call('FLUSHALL');
    expect(await redis.intake.size()).toBe(0);
    await redis.intake.add(entries);
    expect(await redis.intake.page(0, 10)).toEqual(entries.map(({ taskId }) => taskId));
    await redis.deliveries.deliver([{ workerId: 'w', taskId: 'task-a', attempt: 1 }]);
    await waitFor(() => seen.includes('task-a'), { what: 'a delivery' });
  });

  it('does not keep a closing process', async () => {
    await own.start();
    const redis = await cluster.open({ url: own.url });
    await redis.inbox.open('w', async () => undefined);
    await redis.intake.onAdded(() => undefined);
    await redis.bus.subscribe(() => undefined);
    own.freeze();
    const start = performance.now();
    await redis.close();
    expect(performance.now() - start).toBeLessThan(6_000);
    await expect(redis.ping()).rejects.toMatchObject({ code: 'queue_unavailable' });
  });
});
