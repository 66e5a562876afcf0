// A backup is put back while a scheduler and a runner are at work: what runs goes on, what has ended since runs again, what
// came since is gone with its containers, and nobody has to be restarted.

import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, describe, expect, it } from 'vitest';
import type { Scheduler } from '../../scheduler/scheduler.ts';
import type { Task, TaskSpec } from '../../shared/model/task.ts';
import type { StoreCopies } from '../../shared/ports/store-copies.ts';
import { makeTask } from '../support/tasks.ts';
import { waitFor } from '../support/wait-for.ts';
import type { Stage } from './runner/stage.ts';
import { openWhole, type Whole } from './whole.ts';

let stage: Stage;
let scheduler: Scheduler;
let whole: Whole | undefined;
afterEach(() => whole?.stop());

async function open(reconcileSeconds: number): Promise<StoreCopies> {
  whole = await openWhole({ RECONCILE_SECONDS: String(reconcileSeconds) });
  ({ stage, scheduler } = whole);
  const { copies } = stage.store;
  if (!copies) throw new Error('the embedded store has copies');
  return copies;
}

async function submit(spec: Partial<TaskSpec>): Promise<Task> {
  const task = makeTask(spec, { submittedAt: Date.now(), queuedAt: Date.now() });
  await stage.store.tasks.insert([task]);
  await stage.redis.intake.add([{ taskId: task.id, priority: task.spec.priority, shape: '' }]);
  return task;
}

const cores = (cpuMillis: number) => ({ cpuMillis, memoryMb: 64, gpus: 0, storageMb: 0 });
const SMALL = cores(1_000);

async function backup(copies: StoreCopies): Promise<() => Promise<void>> {
  const copy = await copies.take();
  const content = await buffer(copy.read());
  await copy.discard();
  return async () => {
    const received = await copies.receive(Readable.from([content]), copy);
    await received.replace(Date.now());
    await received.discard();
  };
}

const running = async () => (await stage.runtime.list(stage.workerId)).map(({ taskId }) => taskId).sort();

describe('a restore', () => {
  it('of which nobody is told is noticed by the leader', async () => {
    const copies = await open(1);
    const goesOn = await submit({ resources: SMALL, command: 'print on; forever' });
    const stopped = await submit({ resources: SMALL, command: 'print stopped; forever' });
    await stage.untilPrinted(goesOn, 'on');
    await stage.untilPrinted(stopped, 'stopped');
    const waits = await submit({ resources: cores(3_500), command: 'print waited' });
    const restore = await backup(copies);

    await stage.cancel(stopped);
    await stage.ended(stopped);
    const came = await submit({ resources: SMALL, command: 'print came; forever' });
    await stage.untilPrinted(came, 'came');
    const neverRan = await submit({ resources: cores(64_000) });
    const { term } = scheduler.status();
    const before = await stage.until(goesOn, ['running']);
    await restore();

    // It runs again, under a number of its own, and its output begins anew.
    const again = await stage.until(stopped, ['running']);
    expect(again).toMatchObject({ attempt: 2, losses: 0, failures: 0, attempts: [{ state: 'lost' }, {}] });
    await waitFor(
      async () => (await stage.logs.read(stopped.id, 2, 1, 9)).some(({ line }) => line === 'stopped'),
      { what: 'its output' },
    );
    const after = await stage.until(goesOn, ['running']);
    expect(after).toMatchObject({ attempt: 1, workerId: stage.workerId });
    expect(after.attempts[0]?.containerId).toBe(before.attempts[0]?.containerId);
    await waitFor(async () => (await running()).join() === [goesOn.id, stopped.id].sort().join(), {
      what: 'the container of a task that is not in the backup to go',
    });
    expect(await stage.store.tasks.getMany([came.id, neverRan.id])).toEqual([]);
    await waitFor(async () => (await stage.redis.intake.page(0, 9)).join() === waits.id, {
      what: 'the intake queue to lose ids that nobody knows',
    });
    expect(scheduler.status().term).toBeGreaterThan(term ?? 0);
    expect((await stage.until(waits, ['queued'])).attempt).toBe(1);
    await stage.cancel(goesOn);
    expect(await stage.ended(goesOn)).toMatchObject({ state: 'cancelled', attempt: 1 });
    await stage.cancel(stopped);
    await stage.ended(stopped);
    expect(await stage.ended(waits)).toMatchObject({ state: 'completed', attempt: 1 });
  });

  it('that is announced has a new leader at once', async () => {
    const copies = await open(600);
    const task = await submit({ resources: cores(64_000) });
    await waitFor(() => scheduler.status().backlog === 1, { what: 'the task to be known' });
    const restore = await backup(copies);
    await submit({ resources: cores(64_000) });
    await waitFor(() => scheduler.status().backlog === 2, { what: 'both tasks to be known' });
    await restore();
    await stage.redis.bus.publish({ type: 'restored' });
    await waitFor(() => scheduler.status().leading && scheduler.status().backlog === 1, {
      what: 'a term that knows what is in the record now',
    });
    await stage.cancel(task);
  });
});
