// A scheduler and a real runner together, with a scripted container runtime: a task of higher priority takes the place of
// a running one, which is stopped, waits, and runs again.

import { afterEach, describe, expect, it } from 'vitest';
import type { Scheduler } from '../../../scheduler/scheduler.ts';
import type { Task, TaskSpec } from '../../../shared/model/task.ts';
import type { Stage } from '../runner/stage.ts';
import { openWhole, type Whole } from '../whole.ts';

let stage: Stage;
let scheduler: Scheduler;
let running: Whole | undefined;
afterEach(() => running?.stop());

async function open(env: Record<string, string>): Promise<void> {
  running = await openWhole(env);
  ({ stage, scheduler } = running);
}

/** As the API does it. */
async function submit(spec: Partial<TaskSpec>): Promise<Task> {
  const task = await stage.insert(spec);
  await stage.redis.intake.add([{ taskId: task.id, priority: task.spec.priority, shape: '' }]);
  return task;
}

const whole = (gpus: number) => ({ cpuMillis: 3_000, memoryMb: 64, gpus, storageMb: 0 });

describe('preemption', () => {
  it('stops what runs, gives its place and its devices away, and starts it again afterwards', async () => {
    await open({ PREEMPTION: 'priority' });
    const low = await submit({ resources: whole(1), priority: 2, command: 'print up; forever' });
    await stage.untilPrinted(low, 'up');
    const high = await submit({ resources: whole(2), priority: 8, command: 'print done' });
    const done = await stage.ended(high);
    expect(done).toMatchObject({ state: 'completed', attempt: 1, attempts: [{ state: 'completed' }] });
    expect(done.attempts[0]?.gpuIds).toHaveLength(2);

    const again = await stage.until(low, ['running']);
    expect(again).toMatchObject({ attempt: 2, failures: 0, losses: 0 });
    const [first, second] = again.attempts;
    expect(first).toMatchObject({ state: 'evicted', reason: null, eviction: { cause: 'preempted' } });
    expect(first?.message).toMatch(/higher priority/);
    expect(second?.assignedAt).toBeGreaterThanOrEqual(done.finishedAt ?? Number.POSITIVE_INFINITY);
    expect(second?.gpuIds).toHaveLength(1);
    expect(scheduler.status().preempted).toBe(1);
    await stage.cancel(low);
    await stage.ended(low);
  });
});

describe('a drain with a deadline', () => {
  it('stops what still runs when its time is over; it runs again when the worker is back', async () => {
    await open({});
    const task = await submit({ resources: whole(0), command: 'print up; forever' });
    await stage.untilPrinted(task, 'up');
    const drain = async (maintenance: 'draining' | 'none', until: number | null) => {
      await stage.store.workers.setMaintenance(stage.workerId, maintenance, until);
      await stage.redis.bus.publish({ type: 'worker', workerId: stage.workerId });
    };
    await drain('draining', Date.now() + 300);
    const waiting = await stage.until(task, ['queued']);
    expect(waiting).toMatchObject({ attempt: 2, failures: 0, losses: 0, notBefore: 0 });
    expect(waiting.attempts).toMatchObject([{ state: 'evicted', eviction: { cause: 'drained' } }]);
    await drain('none', null);
    await stage.until(task, ['running']);
    await stage.cancel(task);
    await stage.ended(task);
  });
});
