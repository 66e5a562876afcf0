// (a) From waiting in the store to delivered at the workers, and the same moves of BullMQ alone.

import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { redisUrl, uniqueName } from '../../test/support/servers.ts';
import { waitFor } from '../../test/support/wait-for.ts';
import { costOf } from '../live/process-cost.ts';
import { BATCH, SMALL, Stage } from './stage.ts';

const WORKERS = 20;

export interface Rate {
  readonly tasksPerSecond: number;
  /** Of the process that did it. */
  readonly cpuMsPerTask: number;
}

/** Counted from the first placement that is seen, so that start and load of the process are left out. */
export async function placeAll(count: number, env: Record<string, string> = {}): Promise<Rate> {
  const stage = await Stage.open();
  try {
    await stage.submit(count, SMALL);
    const workers = await stage.addWorkers(WORKERS, Math.ceil((count / WORKERS) * 2) * SMALL.cpuMillis);
    const scheduler = stage.startScheduler('scheduler', env);
    await stage.leading('scheduler');
    const before = await costOf(scheduler.pid ?? 0);
    const queued = async () => (await stage.store.tasks.countByState()).queued;
    const from = performance.now();
    const begun = await queued();
    await waitFor(async () => (await queued()) === 0, {
      what: `${count} placements`,
      deadlineMs: 300_000,
      everyMs: 5,
    });
    await waitFor(
      async () => {
        const depths = await Promise.all(workers.map((id) => stage.redis.deliveries.depth(id)));
        return (
          depths.reduce((sum, depth) => sum + depth, 0) === count && (await stage.redis.intake.size()) === 0
        );
      },
      { what: `${count} deliveries`, deadlineMs: 60_000, everyMs: 5 },
    );
    const seconds = (performance.now() - from) / 1_000;
    const { cpu } = await costOf(scheduler.pid ?? 0);
    await scheduler.end('SIGTERM');
    return { tasksPerSecond: begun / seconds, cpuMsPerTask: ((cpu - before.cpu) * 1_000) / begun };
  } finally {
    await stage.close();
  }
}

/** `addBulk` to as many queues and `remove` from the intake, in batches of a thousand, with nothing decided or kept. */
export async function moveBare(count: number): Promise<Rate> {
  const prefix = uniqueName('bench-bare');
  const connection = new Redis(redisUrl, { maxRetriesPerRequest: null });
  const options = { connection, prefix, skipVersionCheck: true, skipMetasUpdate: true };
  const intake = new Queue('intake', options);
  const queues = Array.from({ length: WORKERS }, (_, n) => new Queue(`worker-w${n}`, options));
  const ids = Array.from({ length: count }, () => uniqueName('task-'));
  for (let at = 0; at < count; at += BATCH) {
    await intake.addBulk(
      ids.slice(at, at + BATCH).map((jobId) => ({
        name: '0.1 cpu',
        data: {},
        opts: { jobId, priority: 5, removeOnComplete: true },
      })),
    );
  }
  const before = process.cpuUsage();
  const from = performance.now();
  for (let at = 0; at < count; at += BATCH) {
    const batch = ids.slice(at, at + BATCH);
    await Promise.all(
      queues.map((queue, n) =>
        queue.addBulk(
          batch
            .filter((_, place) => place % WORKERS === n)
            .map((id) => ({ name: id, data: { taskId: id, attempt: 1 }, opts: { jobId: `${id}-1` } })),
        ),
      ),
    );
    await Promise.all(batch.map((id) => intake.remove(id, { removeChildren: false })));
  }
  const seconds = (performance.now() - from) / 1_000;
  const { user, system } = process.cpuUsage(before);
  for await (const keys of connection.scanStream({ match: `${prefix}:*`, count: BATCH })) {
    if ((keys as string[]).length > 0) await connection.unlink(...(keys as string[]));
  }
  await Promise.all([intake, ...queues].map((queue) => queue.close()));
  connection.disconnect();
  return { tasksPerSecond: count / seconds, cpuMsPerTask: (user + system) / 1_000 / count };
}
