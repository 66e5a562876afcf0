// (c) A leader with very many waiting tasks: how long it loads, what it holds in memory, and how soon a new task that
// fits is placed although all the others wait.

import { makeTask } from '../../test/support/tasks.ts';
import { waitFor } from '../../test/support/wait-for.ts';
import { costOf } from '../live/process-cost.ts';
import { quantile } from '../machine.ts';
import { HUGE, SMALL, Stage } from './stage.ts';

export interface ManyWaiting {
  readonly waiting: number;
  /** Until it places, and from the start of the process until it knows of all (told once a second). */
  readonly leadMs: number;
  readonly allMs: number;
  /** Of the process, from its start until then. */
  readonly cpuSeconds: number;
  readonly memoryMb: number;
  /** From the insert to the placement in the store, of one task after another. */
  readonly placeMs: number;
}

/** @param kept a database that has them already, or gets what is missing */
export async function leadMany(waiting: number, kept?: string): Promise<ManyWaiting> {
  const stage = await Stage.open(kept);
  try {
    const there = (await stage.store.tasks.countByState()).queued;
    // In the store alone: what a full intake queue costs is Redis's memory, not the scheduler's.
    if (there < waiting) await stage.submitQuietly(waiting - there, HUGE);
    await stage.addWorkers(20, 100_000);
    const scheduler = stage.startScheduler('scheduler', { RECONCILE_SECONDS: '600' });
    const begun = performance.now();
    const { tookMs } = await stage.leading('scheduler', 300_000);
    // It places from now on, and reads the rest between its turns.
    const known = async () => (await stage.redis.schedulerBoard.read())?.waiting ?? 0;
    await waitFor(async () => (await known()) >= waiting, {
      what: 'all of the queue',
      deadlineMs: 300_000,
      everyMs: 100,
    });
    const allMs = performance.now() - begun;
    const { cpu, memory } = await costOf(scheduler.pid ?? 0);
    const took: number[] = [];
    for (let n = 0; n < 30; n += 1) {
      const now = Date.now();
      const task = makeTask({ resources: SMALL }, { submittedAt: now, queuedAt: now });
      const from = performance.now();
      await stage.store.tasks.insert([task]);
      await stage.enqueue([task]);
      await waitFor(async () => (await stage.store.tasks.get(task.id))?.state !== 'queued', {
        what: 'its placement',
        deadlineMs: 60_000,
        everyMs: 1,
      });
      took.push(performance.now() - from);
    }
    await scheduler.end('SIGTERM');
    return {
      waiting: await known(),
      leadMs: tookMs,
      allMs,
      cpuSeconds: cpu,
      memoryMb: memory,
      placeMs: quantile(took, 0.5),
    };
  } finally {
    await stage.close();
  }
}
