// Tasks that wait for longer than they may: the leader ends them, whoever leads, and never one that was placed.

import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Scheduler } from '../../../scheduler/scheduler.ts';
import type { Task } from '../../../shared/model/task.ts';
import { waitFor } from '../../support/wait-for.ts';
import { Bed, leading } from './bed.ts';

let bed: Bed;
beforeAll(async () => {
  // Nothing but the end of a wait wakes the leader: sweeps are far apart.
  bed = await Bed.open({ reconcileSeconds: 120 });
});
afterAll(() => bed.close());

const small = { cpuMillis: 100, memoryMb: 8, gpus: 0, storageMb: 0 };
const large = { ...small, cpuMillis: 1e6 };
const times = <T>(n: number, one: T): T[] => Array.from({ length: n }, () => one);
const idsOf = (tasks: readonly Task[]) => tasks.map(({ id }) => id);
const queuedAgo = (ms: number) => ({ over: { queuedAt: Date.now() - ms, submittedAt: Date.now() - ms } });

async function leader(): Promise<Scheduler> {
  const scheduler = await bed.addScheduler();
  onTestFinished(() => scheduler.stop());
  await leading(scheduler);
  return scheduler;
}

describe('a task that may wait for so long', () => {
  it('fails when that is over, and says for how long and for what it waited', async () => {
    const scheduler = await leader();
    const [patient] = await bed.submit([{ resources: small }]);
    const [hasty] = await bed.submit([{ resources: small, queueTimeoutSeconds: 1 }]);
    const [failed] = await bed.until([hasty!.id], ['failed']);
    expect(failed).toMatchObject({
      reason: 'queue_timed_out',
      attempts: [],
      workerId: null,
      message: expect.stringMatching(
        /^waited \d+ s in the queue, and its limit is 1 s: no worker was ready$/,
      ),
    });
    expect(failed!.finishedAt).toBeGreaterThanOrEqual(hasty!.queuedAt + 1_000);
    expect((await bed.task(patient!.id)).state).toBe('queued');
    expect(scheduler.status()).toMatchObject({ expired: 1, backlog: 1 });
    // It has left the intake queue, too.
    await waitFor(async () => (await bed.redis.intake.size()) === 1, { what: 'the intake queue without it' });
  });

  it('does not have the pause before a retry counted as a wait', async () => {
    await leader();
    const notBefore = Date.now() + 1_500;
    const over = { ...queuedAgo(60_000).over, notBefore, attempt: 2, failures: 1 };
    const [paused] = await bed.submit([{ resources: large, queueTimeoutSeconds: 1 }], { over });
    const [failed] = await bed.until([paused!.id], ['failed']);
    expect(failed).toMatchObject({ reason: 'queue_timed_out', failures: 1 });
    expect(failed!.message).toContain('before attempt 2');
    expect(failed!.finishedAt).toBeGreaterThanOrEqual(notBefore + 1_000);
  });

  it('fails under the next leader when there was none at its time', async () => {
    const first = await leader();
    const [early] = await bed.submit([{ resources: large, queueTimeoutSeconds: 1 }]);
    await waitFor(() => first.status().backlog >= 1, { what: 'the first leader to know of it' });
    await first.stop();
    const [quiet, patient] = await bed.submit(
      [
        { resources: large, queueTimeoutSeconds: 1 },
        { resources: large, queueTimeoutSeconds: 3_600 },
      ],
      { quietly: true },
    );
    const second = await bed.addScheduler();
    onTestFinished(() => second.stop());
    const failed = await bed.until([early!.id, quiet!.id], ['failed']);
    expect(failed.map(({ reason }) => reason)).toEqual(['queue_timed_out', 'queue_timed_out']);
    expect((await bed.task(patient!.id)).state).toBe('queued');
    expect(second.status().term).toBeGreaterThan(0);
  });

  it('fails among thousands at the same moment', async () => {
    const scheduler = await leader();
    // More than are ended at a time. Counted, as reading them all would hold up the scheduler in this process.
    const before = (await bed.store.tasks.countByState()).failed;
    await bed.submit(times(1_200, { resources: large, queueTimeoutSeconds: 5 }), queuedAgo(60_000));
    const failed = async () => (await bed.store.tasks.countByState()).failed - before;
    await waitFor(async () => (await failed()) === 1_200, { what: 'the end of all', deadlineMs: 30_000 });
    expect(scheduler.status().expired).toBe(1_200);
  });

  it('is either placed or given up when both come at the same moment', async () => {
    const scheduler = await leader();
    // Half of them are over in the second in which a worker comes that has room for all.
    const tasks = (
      await Promise.all(
        times(40, null).map((_, n) =>
          bed.submit(times(10, { resources: small, queueTimeoutSeconds: 2 }), queuedAgo(n * 40)),
        ),
      )
    ).flat();
    await waitFor(() => scheduler.status().expired > 10, { what: 'the first to be over' });
    await bed.addWorker('w-late', { capacity: { cpuMillis: 1e6 } });
    const ended = await bed.until(idsOf(tasks), ['failed', 'completed']);
    const [failed, done] = ['failed', 'completed'].map((state) => ended.filter((one) => one.state === state));
    for (const task of failed!) expect(task).toMatchObject({ reason: 'queue_timed_out', attempts: [] });
    for (const task of done!) expect(task.attempts).toMatchObject([{ number: 1, state: 'completed' }]);
    expect(failed!.length).toBeGreaterThan(0);
  });

  it('is not placed when it is overdue, however many are and whatever room there is', async () => {
    // Nobody leads while they come, and there are more than are ended before the first pass.
    const tasks = await bed.submit(times(1_200, { resources: small, queueTimeoutSeconds: 5 }), {
      ...queuedAgo(60_000),
      quietly: true,
    });
    await bed.addWorker('w-roomy', { capacity: { cpuMillis: 1e6, memoryMb: 1e6 } });
    await leader();
    const ended = await bed.until(idsOf(tasks), ['failed', 'completed']);
    expect(ended.filter(({ reason }) => reason !== 'queue_timed_out')).toEqual([]);
    expect(ended.filter(({ attempts }) => attempts.length > 0)).toEqual([]);
  });
});
