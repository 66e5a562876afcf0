import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RedisParts } from '../../../shared/adapters/redis/open.ts';
import { newTaskId } from '../../../shared/platform/ids.ts';
import type { Delivery } from '../../../shared/ports/queue.ts';
import { gate } from '../../support/gate.ts';
import { uniqueName } from '../../support/servers.ts';
import { waitFor } from '../../support/wait-for.ts';
import { TestCluster } from './parts.ts';

const cluster = new TestCluster();
let scheduler: RedisParts;
let runner: RedisParts;

beforeAll(async () => {
  scheduler = await cluster.open();
  runner = await cluster.open();
});
afterAll(() => cluster.close());

const newWorker = () => uniqueName('w-');
const delivery = (workerId: string, over: Partial<Delivery> = {}): Delivery => ({
  workerId,
  taskId: newTaskId(),
  attempt: 1,
  ...over,
});
const depthIs = (workerId: string, depth: number) =>
  waitFor(async () => (await scheduler.deliveries.depth(workerId)) === depth, {
    what: `${depth} deliveries at ${workerId}`,
  });

describe('deliveries', () => {
  it('reach the worker they are for, as they were sent', async () => {
    const [mine, other] = [newWorker(), newWorker()];
    const seen: Delivery[] = [];
    const session = await runner.inbox.open(mine, async (one) => void seen.push(one));
    const sent = [delivery(mine), delivery(mine, { attempt: 7 })];
    await scheduler.deliveries.deliver([...sent, delivery(other)]);
    await waitFor(() => seen.length === 2, { what: 'two deliveries' });
    await depthIs(mine, 0);
    expect(seen).toEqual(expect.arrayContaining(sent));
    expect(await scheduler.deliveries.depth(other)).toBe(1);
    await session.close();
  });

  it('that wait already are not added again, another attempt is', async () => {
    const worker = newWorker();
    const one = delivery(worker);
    await scheduler.deliveries.deliver([one, one]);
    await runner.deliveries.deliver([one]);
    expect(await scheduler.deliveries.depth(worker)).toBe(1);
    await scheduler.deliveries.deliver([{ ...one, attempt: 2 }]);
    expect(await scheduler.deliveries.depth(worker)).toBe(2);
  });

  it('that are in work are not handled again when they are repeated', async () => {
    const worker = newWorker();
    const [one, marker] = [delivery(worker), delivery(worker)];
    const { opened, open } = gate();
    const seen: string[] = [];
    const session = await runner.inbox.open(worker, async ({ taskId }) => {
      seen.push(taskId);
      if (taskId === one.taskId) await opened;
    });
    await scheduler.deliveries.deliver([one]);
    await waitFor(() => seen.length === 1, { what: 'the delivery' });
    await scheduler.deliveries.deliver([one, marker]);
    await waitFor(() => seen.includes(marker.taskId), { what: 'the delivery behind it' });
    expect(seen).toEqual([one.taskId, marker.taskId]);
    open();
    await depthIs(worker, 0);
    await session.close();
  });

  it('run as many at a time as arrive', async () => {
    const worker = newWorker();
    const { opened, open } = gate();
    let inWork = 0;
    const session = await runner.inbox.open(worker, async () => {
      inWork += 1;
      await opened;
    });
    await scheduler.deliveries.deliver(Array.from({ length: 200 }, () => delivery(worker)));
    await waitFor(() => inWork === 200, { what: '200 deliveries in work' });
    expect(await scheduler.deliveries.depth(worker)).toBe(200);
    open();
    await depthIs(worker, 0);
    await session.close();
  });

  it('wait for a worker that comes later', async () => {
    const worker = newWorker();
    const sent = Array.from({ length: 1_200 }, () => delivery(worker));
    await scheduler.deliveries.deliver(sent);
    const seen = new Set<string>();
    const session = await runner.inbox.open(worker, async ({ taskId }) => void seen.add(taskId));
    await waitFor(() => seen.size === 1_200, { what: '1,200 deliveries' });
    await depthIs(worker, 0);
    await session.close();
  });

  it('may be sent again once they are done', async () => {
    const worker = newWorker();
    const one = delivery(worker);
    let runs = 0;
    const session = await runner.inbox.open(worker, async () => void runs++);
    await scheduler.deliveries.deliver([one]);
    await waitFor(() => runs === 1, { what: 'the first run' });
    await depthIs(worker, 0);
    await scheduler.deliveries.deliver([one]);
    await waitFor(() => runs === 2, { what: 'the second run' });
    await session.close();
  });

  it('are kept and tried again when the handler throws', async () => {
    const worker = newWorker();
    let runs = 0;
    const session = await runner.inbox.open(worker, async () => {
      runs += 1;
      if (runs < 3) throw new Error('store is away');
    });
    await scheduler.deliveries.deliver([delivery(worker)]);
    await waitFor(() => runs === 1, { what: 'the first run' });
    expect(await scheduler.deliveries.depth(worker)).toBe(1);
    await waitFor(() => runs === 3, { what: 'the third run' });
    await depthIs(worker, 0);
    await session.close();
  });
});

describe('clearing the queue of a worker', () => {
  it('drops what waits and leaves not a key', async () => {
    const worker = newWorker();
    await scheduler.deliveries.deliver(Array.from({ length: 2_300 }, () => delivery(worker)));
    await scheduler.deliveries.clear(worker);
    expect(await scheduler.deliveries.depth(worker)).toBe(0);
    expect(await cluster.keys(`worker-${worker}:*`)).toEqual([]);
  });

  it('is safe when there is nothing, and twice', async () => {
    const worker = newWorker();
    await scheduler.deliveries.clear(worker);
    await scheduler.deliveries.clear(worker);
    expect(await scheduler.deliveries.depth(worker)).toBe(0);
  });

  it('drops what is in work, and the worker goes on with what comes next', async () => {
    const worker = newWorker();
    const [old, next] = [delivery(worker), delivery(worker)];
    const { opened, open } = gate();
    const seen: string[] = [];
    const session = await runner.inbox.open(worker, async ({ taskId }) => {
      seen.push(taskId);
      if (taskId === old.taskId) await opened;
    });
    await scheduler.deliveries.deliver([old]);
    await waitFor(() => seen.length === 1, { what: 'the delivery in work' });
    await scheduler.deliveries.clear(worker);
    expect(await scheduler.deliveries.depth(worker)).toBe(0);
    await scheduler.deliveries.deliver([next]);
    await waitFor(() => seen.includes(next.taskId), { what: 'the next delivery' });
    open();
    await depthIs(worker, 0);
    expect(seen).toEqual([old.taskId, next.taskId]);
    await session.close();
  });

  it('ends the repeats of a delivery that always fails', async () => {
    const worker = newWorker();
    const [bad, next] = [delivery(worker), delivery(worker)];
    const runs = new Map<string, number>();
    const session = await runner.inbox.open(worker, async ({ taskId }) => {
      runs.set(taskId, (runs.get(taskId) ?? 0) + 1);
      // The one behind fails once, later than the next repeat of the bad one would have come.
      if (taskId === bad.taskId || runs.get(taskId) === 1) throw new Error('no');
    });
    await scheduler.deliveries.deliver([bad]);
    await waitFor(() => runs.get(bad.taskId) === 1, { what: 'the failing delivery' });
    await scheduler.deliveries.clear(worker);
    await scheduler.deliveries.deliver([next]);
    await waitFor(() => runs.get(next.taskId) === 2, { what: 'the repeat of the next one' });
    expect(runs.get(bad.taskId)).toBe(1);
    await session.close();
  });

  it('keeps the events of each queue few', async () => {
    const worker = newWorker();
    await scheduler.deliveries.deliver([delivery(worker)]);
    await scheduler.deliveries.clear(worker);
    await scheduler.deliveries.deliver([delivery(worker)]);
    const kept = await cluster.command(
      'HGET',
      `${cluster.prefix}:worker-${worker}:meta`,
      'opts.maxLenEvents',
    );
    expect(kept).toBe('1000');
  });
});
