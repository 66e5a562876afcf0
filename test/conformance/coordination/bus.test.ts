import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { RedisParts } from '../../../shared/adapters/redis/open.ts';
import type { ClusterEvent, TaskChanged, WorkerNudge } from '../../../shared/model/event.ts';
import { newTaskId } from '../../../shared/platform/ids.ts';
import { OwnRedis } from '../../support/own-redis.ts';
import { waitFor } from '../../support/wait-for.ts';
import { TestCluster } from '../queue/parts.ts';

const cluster = new TestCluster();
const strangers = new TestCluster();
const stops: (() => Promise<void>)[] = [];
let here: RedisParts;
let there: RedisParts;

beforeAll(async () => {
  here = await cluster.open();
  there = await cluster.open({ patience: 'fail-fast' });
});
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});
afterAll(async () => {
  await cluster.close();
  await strangers.close();
});

const changed = (over: Partial<TaskChanged> = {}): TaskChanged => ({
  type: 'task',
  taskId: newTaskId(),
  ownerId: 'user-1',
  state: 'running',
  attempt: 1,
  revision: 3,
  workerId: 'worker-1',
  at: 0,
  hasWebhook: false,
  ...over,
});

async function listen(redis: RedisParts): Promise<ClusterEvent[]> {
  const heard: ClusterEvent[] = [];
  stops.push(await redis.bus.subscribe((event) => heard.push(event)));
  return heard;
}

const heardAll = (heard: readonly unknown[], count: number) =>
  waitFor(() => heard.length >= count, { what: `${count} messages` });

describe('the event bus', () => {
  it('carries events to every listener of every process, in order', async () => {
    const all = [await listen(here), await listen(there), await listen(there)];
    const events: ClusterEvent[] = [
      changed(),
      changed({ workerId: null, state: 'queued' }),
      { type: 'worker', workerId: 'worker-9' },
      { type: 'quota', userId: 'user-1' },
    ];
    for (const event of events) await here.bus.publish(event);
    for (const heard of all) {
      await heardAll(heard, events.length);
      expect(heard).toEqual(events);
    }
  });

  it('carries many at once', async () => {
    const heard = await listen(there);
    const events = Array.from({ length: 1_234 }, () => changed());
    await here.bus.publishMany(events);
    await here.bus.publishMany([]);
    await heardAll(heard, 1_234);
    expect(heard).toEqual(events);
  });

  it('carries nothing to a listener that stopped', async () => {
    const [stopped, kept] = [await listen(there), await listen(there)];
    await stops.at(-2)?.();
    await here.bus.publish(changed());
    await heardAll(kept, 1);
    expect(stopped).toEqual([]);
    const again = await listen(there);
    await here.bus.publish(changed());
    await heardAll(again, 1);
    expect(kept).toHaveLength(2);
  });

  it('listens anew after the last listener stopped', async () => {
    const first: ClusterEvent[] = [];
    const stop = await there.bus.subscribe((event) => first.push(event));
    await stop();
    await stop();
    const second = await listen(there);
    await here.bus.publish(changed());
    await heardAll(second, 1);
    expect(first).toEqual([]);
  });

  it('carries a nudge to its worker alone', async () => {
    const mine: WorkerNudge[] = [];
    const others: WorkerNudge[] = [];
    stops.push(await there.bus.onNudge('worker-1', (nudge) => mine.push(nudge)));
    stops.push(await there.bus.onNudge('worker-2', (nudge) => others.push(nudge)));
    await here.bus.nudge('worker-1', { type: 'cancel', taskId: 'task-a' });
    await here.bus.nudge('worker-2', { type: 'cancel', taskId: 'task-b' });
    await here.bus.nudge('worker-1', { type: 'evict', taskId: 'task-c' });
    await here.bus.nudge('worker-1', { type: 'removed' });
    await heardAll(others, 1);
    await heardAll(mine, 3);
    expect(mine).toEqual([
      { type: 'cancel', taskId: 'task-a' },
      { type: 'evict', taskId: 'task-c' },
      { type: 'removed' },
    ]);
    expect(others).toEqual([{ type: 'cancel', taskId: 'task-b' }]);
  });

  it('keeps clusters on one Redis apart', async () => {
    const foreign = await strangers.open();
    const theirs = await listen(foreign);
    const ours = await listen(there);
    await here.bus.publish(changed());
    await heardAll(ours, 1);
    await foreign.bus.publish({ type: 'worker', workerId: 'foreign' });
    await heardAll(theirs, 1);
    expect(theirs).toEqual([{ type: 'worker', workerId: 'foreign' }]);
    expect(ours).toHaveLength(1);
  });

  it('drops what it cannot read and goes on', async () => {
    const heard = await listen(there);
    const channel = `${cluster.prefix}:events`;
    for (const text of [
      '',
      '{',
      '"text"',
      'null',
      '[null, 7, {"type":"task"}, {"type":"quota"}]',
      '{"type":"worker"}',
    ]) {
      await cluster.command('PUBLISH', channel, text);
    }
    const good = changed();
    await here.bus.publish(good);
    await heardAll(heard, 1);
    expect(heard).toEqual([good]);
  });

  it('survives a listener that throws', async () => {
    stops.push(
      await there.bus.subscribe(() => {
        throw new Error('listener is broken');
      }),
    );
    const heard = await listen(there);
    await here.bus.publishMany([changed(), changed()]);
    await heardAll(heard, 2);
  });

  it('carries events again after Redis was away, and loses them quietly and fast until then', async () => {
    const own = await OwnRedis.prepare();
    onTestFinished(() => own.remove());
    const redis = await cluster.open({ url: own.url });
    const heard = await listen(redis);
    const nudges: WorkerNudge[] = [];
    stops.push(await redis.bus.onNudge('w', (nudge) => nudges.push(nudge)));
    const start = performance.now();
    await redis.bus.publishMany(Array.from({ length: 1_000 }, () => changed()));
    await redis.bus.nudge('w', { type: 'cancel', taskId: 'task-a' });
    expect(performance.now() - start).toBeLessThan(10_000);
    expect(heard).toEqual([]);

    const carries = (when: string) =>
      waitFor(
        async () => {
          await redis.bus.publish(changed());
          await redis.bus.nudge('w', { type: 'cancel', taskId: 'task-a' });
          return heard.length > 0 && nudges.length > 0;
        },
        { what: `messages ${when}` },
      );
    await own.start();
    await carries('once Redis is there');
    await own.kill();
    await own.start();
    heard.length = 0;
    nudges.length = 0;
    await carries('once Redis is back');
    for (const stop of stops.splice(0)) await stop();
    await redis.close();
  });
});
