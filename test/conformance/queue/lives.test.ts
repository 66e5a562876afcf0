// What happens to deliveries when a life of the worker ends, and to its locks when Redis forgets them.

import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { RedisConnection } from '../../../shared/adapters/redis/connection.ts';
import { RedisInbox } from '../../../shared/adapters/redis/inbox.ts';
import type { RedisParts } from '../../../shared/adapters/redis/open.ts';
import { openQueue } from '../../../shared/adapters/redis/queue-handle.ts';
import { newTaskId } from '../../../shared/platform/ids.ts';
import { silentLog } from '../../../shared/platform/log.ts';
import { gate } from '../../support/gate.ts';
import { OwnRedis } from '../../support/own-redis.ts';
import { redisUrl, uniqueName } from '../../support/servers.ts';
import { waitFor } from '../../support/wait-for.ts';
import { TestCluster } from './parts.ts';

const cluster = new TestCluster();
const children: ChildProcess[] = [];
let redis: RedisParts;

beforeAll(async () => {
  redis = await cluster.open();
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});
afterAll(() => cluster.close());

function live(mode: 'hold' | 'pass' | 'absent', url: string): { child: ChildProcess; said: () => string[] } {
  const script = fileURLToPath(new URL('./life.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', script, mode, url, cluster.prefix], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  let text = '';
  child.stdout?.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  return { child, said: () => text.split('\n').filter((line) => line !== '') };
}

const depthOf = (workerId: string) => redis.deliveries.depth(workerId);

describe('a new life of a worker', () => {
  it('gets at once what was in work when the old one was killed, once each, and finishes it', async () => {
    const sent = Array.from({ length: 3 }, () => ({ workerId: 'w', taskId: newTaskId(), attempt: 1 }));
    const { child, said } = live('hold', redisUrl);
    await redis.deliveries.deliver(sent);
    await waitFor(() => said().length === 3, { what: 'three deliveries in work', deadlineMs: 20_000 });
    child.kill('SIGKILL');
    await waitFor(() => child.signalCode !== null, { what: 'the old life to end' });
    expect(await depthOf('w')).toBe(3);

    const seen: string[] = [];
    const session = await redis.inbox.open('w', async ({ taskId }) => void seen.push(taskId));
    await waitFor(async () => (await depthOf('w')) === 0, { what: 'an empty queue', deadlineMs: 5_000 });
    expect(seen.toSorted()).toEqual(sent.map(({ taskId }) => taskId));
    await session.close();
  });

  it('gets what a closed session left undone; the closed one finishes nothing more', async () => {
    const worker = uniqueName('w-');
    const one = { workerId: worker, taskId: newTaskId(), attempt: 3 };
    const [old, young] = [gate(), gate()];
    let runs = 0;
    const first = await redis.inbox.open(worker, async () => {
      runs += 1;
      await old.opened;
    });
    await redis.deliveries.deliver([one]);
    await waitFor(() => runs === 1, { what: 'the delivery' });
    const before = performance.now();
    await first.close();
    expect(performance.now() - before).toBeLessThan(10_000);
    expect(await depthOf(worker)).toBe(1);

    const seen: unknown[] = [];
    const second = await redis.inbox.open(worker, async (delivery) => {
      seen.push(delivery);
      await young.opened;
    });
    await waitFor(() => seen.length === 1, { what: 'the delivery to the new session' });
    expect(seen).toEqual([one]);
    old.open();
    const marker = { workerId: worker, taskId: newTaskId(), attempt: 1 };
    await redis.deliveries.deliver([marker]);
    await waitFor(() => seen.length === 2, { what: 'the delivery behind it' });
    expect(await depthOf(worker)).toBe(2);
    young.open();
    await waitFor(async () => (await depthOf(worker)) === 0, { what: 'an empty queue' });
    await second.close();
  });

  it('is not held up by a clearing that broke off', async () => {
    const worker = uniqueName('w-');
    await stopQueue(worker);
    await redis.deliveries.deliver([{ workerId: worker, taskId: newTaskId(), attempt: 1 }]);
    let runs = 0;
    const session = await redis.inbox.open(worker, async () => void runs++);
    await waitFor(() => runs === 1, { what: 'the delivery' });
    await session.close();
  });
});

describe('a session', () => {
  it('lifts a stop that a broken clearing left, while it lives', async () => {
    const worker = uniqueName('w-');
    await withSweepingInbox(async (inbox) => {
      let runs = 0;
      await inbox.open(worker, async () => void runs++);
      await stopQueue(worker);
      await redis.deliveries.deliver([{ workerId: worker, taskId: newTaskId(), attempt: 1 }]);
      await waitFor(() => runs === 1, { what: 'the delivery' });
    });
  });

  it('never runs a delivery whose lock is lost twice at a time, and can finish it', async () => {
    const worker = uniqueName('w-');
    const one = { workerId: worker, taskId: newTaskId(), attempt: 1 };
    const lock = `${cluster.prefix}:worker-${worker}:${one.taskId}-1:lock`;
    await withSweepingInbox(async (inbox) => {
      const { opened, open } = gate();
      let runs = 0;
      let atATime = 0;
      let most = 0;
      await inbox.open(worker, async () => {
        runs += 1;
        atATime += 1;
        most = Math.max(most, atATime);
        await opened;
        atATime -= 1;
      });
      await redis.deliveries.deliver([one]);
      await waitFor(() => runs === 1, { what: 'the delivery' });
      expect(await cluster.command('DEL', lock)).toBe(1);
      await waitFor(async () => (await cluster.command('EXISTS', lock)) === 1, { what: 'a new lock' });
      expect(runs).toBe(1);
      open();
      await waitFor(async () => (await depthOf(worker)) === 0, { what: 'an empty queue' });
      expect(most).toBe(1);
    });
  });

  it('does not run a delivery twice at a time when Redis was emptied and it comes again', async () => {
    const own = await OwnRedis.started();
    onTestFinished(() => own.remove());
    const parts = await cluster.open({ url: own.url });
    const one = { workerId: 'w', taskId: newTaskId(), attempt: 1 };
    const marker = { workerId: 'w', taskId: newTaskId(), attempt: 1 };
    const { opened, open } = gate();
    const seen: string[] = [];
    await parts.inbox.open('w', async ({ taskId }) => {
      seen.push(taskId);
      if (taskId === one.taskId) await opened;
    });
    await parts.deliveries.deliver([one]);
    await waitFor(() => seen.length === 1, { what: 'the delivery' });
    await own.call('FLUSHALL');
    await parts.deliveries.deliver([one, marker]);
    await waitFor(() => seen.includes(marker.taskId), { what: 'the delivery behind it' });
    await waitFor(async () => (await parts.deliveries.depth('w')) === 1, { what: 'the copy in work' });
    open();
    await waitFor(async () => (await parts.deliveries.depth('w')) === 0, { what: 'an empty queue' });
    expect(seen).toEqual([one.taskId, marker.taskId]);
    await parts.close();
  });
});

describe('a process that used every part and closed', () => {
  it('ends by itself', async () => {
    const { child, said } = live('pass', redisUrl);
    await waitFor(() => child.exitCode !== null, { what: 'the process to end', deadlineMs: 20_000 });
    expect({ code: child.exitCode, said: said() }).toEqual({ code: 0, said: ['closed'] });
  });

  it('ends by itself when Redis was never there', async () => {
    const own = await OwnRedis.prepare();
    onTestFinished(() => own.remove());
    const { child, said } = live('absent', own.url);
    await waitFor(() => child.exitCode !== null, { what: 'the process to end', deadlineMs: 30_000 });
    expect({ code: child.exitCode, said: said() }).toEqual({ code: 0, said: ['closed'] });
  });
});

/** What a clearing leaves when it breaks off after its first step. */
async function stopQueue(workerId: string): Promise<void> {
  await withConnection(async (connection) => {
    const queue = openQueue(connection, `worker-${workerId}`);
    await queue.pause();
    await queue.close();
  });
}

async function withSweepingInbox(use: (inbox: RedisInbox) => Promise<void>): Promise<void> {
  await withConnection(async (connection) => {
    const inbox = new RedisInbox(connection, { sweepMs: 200 });
    try {
      await use(inbox);
    } finally {
      await inbox.close();
    }
  });
}

async function withConnection(use: (connection: RedisConnection) => Promise<void>): Promise<void> {
  const { prefix } = cluster;
  const connection = new RedisConnection({ url: redisUrl, prefix, log: silentLog(), patience: 'patient' });
  try {
    await connection.settle();
    await use(connection);
  } finally {
    await connection.close();
  }
}
