// Tasks find their workers.

import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Scheduler } from '../../../scheduler/scheduler.ts';
import { fits, type Resources } from '../../../shared/model/resources.ts';
import { requestCancel } from '../../../shared/model/task-life.ts';
import { waitFor } from '../../support/wait-for.ts';
import { Bed, leading } from './bed.ts';

const need = (over: Partial<Resources> = {}): Resources => ({
  cpuMillis: 1000,
  memoryMb: 128,
  gpus: 0,
  storageMb: 0,
  ...over,
});

describe('one scheduler', () => {
  let bed: Bed;
  let scheduler: Scheduler;
  beforeAll(async () => {
    bed = await Bed.open();
    scheduler = await bed.addScheduler();
    await leading(scheduler);
  });
  afterAll(() => bed.close());
  afterEach(async () => {
    await waitFor(() => scheduler.status().holding === 0 && scheduler.status().backlog === 0, {
      what: 'an empty cluster',
    });
  });

  it('places what is submitted, delivers it once, and takes it out of the intake queue', async () => {
    const worker = await bed.addWorker('w1');
    const [task] = await bed.submit([{}]);
    const [done] = await bed.until([task!.id], ['completed']);
    expect(done).toMatchObject({ workerId: 'w1', attempt: 1, attempts: [{ workerId: 'w1', term: 1 }] });
    expect(worker.deliveries).toEqual([{ workerId: 'w1', taskId: task!.id, attempt: 1 }]);
    await waitFor(async () => (await bed.redis.intake.size()) === 0, { what: 'an empty intake queue' });
  });

  it('finds what was never announced', async () => {
    const [task] = await bed.submit([{}], { quietly: true });
    await bed.until([task!.id], ['completed']);
  });

  it('lets what does not fit wait without holding others up, until a worker joins', async () => {
    const [gpu] = await bed.submit([{ resources: need({ gpus: 1 }), priority: 9 }]);
    const [small] = await bed.submit([{}]);
    await bed.until([small!.id], ['completed']);
    expect((await bed.task(gpu!.id)).state).toBe('queued');
    const worker = await bed.addWorker('w-gpu', { capacity: { gpus: 1 } });
    await bed.until([gpu!.id], ['completed']);
    await worker.die();
    await bed.store.workers.remove('w-gpu');
    await bed.redis.bus.publish({ type: 'worker', workerId: 'w-gpu' });
  });

  it('gives a task that names its worker to that one only', async () => {
    await bed.addWorker('w2');
    const tasks = await bed.submit(Array.from({ length: 6 }, () => ({ worker: 'w2' })));
    const done = await bed.until(
      tasks.map(({ id }) => id),
      ['completed'],
    );
    expect(done.every(({ workerId }) => workerId === 'w2')).toBe(true);
  });

  it('gives nothing new to a cordoned worker, and again when that is lifted', async () => {
    const set = async (maintenance: 'cordoned' | 'none') => {
      await bed.store.workers.setMaintenance('w2', maintenance);
      await bed.redis.bus.publish({ type: 'worker', workerId: 'w2' });
    };
    await set('cordoned');
    const [waiting] = await bed.submit([{ worker: 'w2' }]);
    const others = await bed.submit([{}, {}, {}]);
    const done = await bed.until(
      others.map(({ id }) => id),
      ['completed'],
    );
    expect(done.every(({ workerId }) => workerId === 'w1')).toBe(true);
    expect((await bed.task(waiting!.id)).state).toBe('queued');
    await set('none');
    await bed.until([waiting!.id], ['completed']);
  });

  it('forgets a task that is cancelled while it waits', async () => {
    const [task] = await bed.submit([{ resources: need({ gpus: 9 }) }]);
    await waitFor(() => scheduler.status().backlog === 1, { what: 'the task in the backlog' });
    const asked = requestCancel(task!, { force: false, requestedBy: 'alice', now: Date.now() });
    if (!asked.ok) throw new Error(asked.refusal);
    await bed.store.tasks.commit(asked.task);
    // Without an event: reconcile has to notice, and to clean the intake queue.
    await waitFor(() => scheduler.status().backlog === 0, { what: 'an empty backlog' });
    await waitFor(async () => (await bed.redis.intake.size()) === 0, { what: 'an empty intake queue' });
  });

  it('delivers within milliseconds when the cluster is idle', async () => {
    const worker = await bed.addWorker('w-fast', { works: true });
    const took: number[] = [];
    for (let n = 0; n < 20; n += 1) {
      const before = performance.now();
      const [task] = await bed.submit([{ worker: 'w-fast' }]);
      await bed.until([task!.id], ['completed']);
      took.push(worker.arrivedAt.get(task!.id)! - before);
    }
    took.sort((a, b) => a - b);
    if (process.env.TEST_LOG)
      console.log('submit to delivery, ms', took.map((ms) => ms.toFixed(1)).join(' '));
    // No polling: each would take a whole interval of the loop, as it comes right after one. Not the slowest ones, for the
    // machine may be busy.
    expect(took[2]).toBeLessThan(300);
  });
});

describe('a task in back-off', () => {
  it('is placed when its time has come, and not before', async () => {
    // Nothing else wakes the loop so soon.
    const bed = await Bed.open({ workerLeaseSeconds: 60, reconcileSeconds: 60 });
    try {
      await bed.addWorker('w1');
      await leading(await bed.addScheduler());
      const [now] = await bed.submit([{}]);
      await bed.until([now!.id], ['completed']);
      const notBefore = Date.now() + 600;
      const [later] = await bed.submit([{}], { over: { notBefore } });
      const [done] = await bed.until([later!.id], ['completed']);
      expect(done!.assignedAt).toBeGreaterThanOrEqual(notBefore);
      // Long before the sweep.
      expect(done!.assignedAt).toBeLessThan(notBefore + 30_000);
    } finally {
      await bed.close();
    }
  });
});

describe('many tasks', () => {
  /** Several times what all workers hold together. */
  const MANY = 800;

  it('run over several workers, none of which is ever given more than it has', async () => {
    const bed = await Bed.open({ workerLeaseSeconds: 10 });
    try {
      const scheduler = await bed.addScheduler();
      const capacities = [
        { cpuMillis: 4000, memoryMb: 4096 },
        { cpuMillis: 8000, memoryMb: 2048, gpus: 2 },
        { cpuMillis: 2000, memoryMb: 8192 },
        { cpuMillis: 16_000, memoryMb: 16_384, gpus: 1 },
      ];
      const workers = await Promise.all(
        capacities.map((capacity, n) => bed.addWorker(`w${n}`, { capacity })),
      );
      const tasks = await bed.submit(
        Array.from({ length: MANY }, (_, n) => ({
          resources: need({
            cpuMillis: [250, 500, 1000, 2000][n % 4]!,
            memoryMb: [64, 128, 512][n % 3]!,
            gpus: n % 50 === 0 ? 1 : 0,
          }),
          priority: n % 10,
        })),
      );
      await waitFor(async () => (await bed.store.tasks.countByState()).completed === MANY, {
        what: `${MANY} tasks to be completed`,
        deadlineMs: 100_000,
        everyMs: 100,
      });
      const done = await bed.store.tasks.getMany(tasks.map(({ id }) => id));
      expect(done.every(({ attempt, attempts }) => attempt === 1 && attempts.length === 1)).toBe(true);
      for (const worker of workers) {
        expect(worker.overCommitted).toBe(false);
        expect(fits(worker.peak, worker.capacity)).toBe(true);
        expect(worker.started.length).toBeGreaterThan(0);
      }
      expect(new Set(workers.flatMap(({ started }) => started)).size).toBe(MANY);
      await waitFor(() => scheduler.status().holding === 0, { what: 'an empty ledger' });
      expect(scheduler.status()).toMatchObject({ backlog: 0, placed: MANY });
    } finally {
      await bed.close();
    }
  });
});
