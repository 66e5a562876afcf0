// Tasks that leave their workers before their end: for others of higher priority, and from workers that are drained. With
// played workers; that a real runner stops a container is shown in test/scenario/runner.

import { afterEach, describe, expect, it } from 'vitest';
import type { Scheduler } from '../../../scheduler/scheduler.ts';
import type { Resources } from '../../../shared/model/resources.ts';
import type { Task } from '../../../shared/model/task.ts';
import { systemClock } from '../../../shared/platform/clock.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import type { Store } from '../../../shared/ports/store.ts';
import { waitFor } from '../../support/wait-for.ts';
import { Bed, type BedOptions, cuttable, leading } from './bed.ts';

const forever = () => new Promise<void>(() => undefined);
const cores = (count: number): { resources: Resources } => ({
  resources: { cpuMillis: count * 1_000, memoryMb: 128, gpus: 0, storageMb: 0 },
});
const preempting = { rules: { preemption: true } };

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});
async function openBed(options: BedOptions = {}): Promise<Bed> {
  const bed = await Bed.open({ workerLeaseSeconds: 20, ...options });
  ends.push(() => bed.close());
  return bed;
}
const untilState = async (bed: Bed, task: Task | undefined, state: Task['state']): Promise<Task> => {
  const [found] = await bed.until([task?.id ?? ''], [state]);
  return found as Task;
};
const untilLeaving = (bed: Bed, task: Task) =>
  waitFor(async () => (await bed.task(task.id)).attempts.at(-1)?.eviction, {
    what: 'the wish that it leaves its worker',
  });

describe('a drain with a deadline', () => {
  const drain = async (bed: Bed, id: string, until: number | null) => {
    await bed.store.workers.setMaintenance(id, 'draining', until);
    await bed.redis.bus.publish({ type: 'worker', workerId: id });
  };

  it('moves what still runs elsewhere when its time is over, and not before', async () => {
    const bed = await openBed({ reconcileSeconds: 60 });
    await bed.addWorker('w1', { run: forever });
    const scheduler = await bed.addScheduler();
    await leading(scheduler);
    const [task] = await bed.submit([cores(1)]);
    await untilState(bed, task, 'running');
    await bed.addWorker('w2');
    const until = Date.now() + 700;
    await drain(bed, 'w1', until);
    const done = await untilState(bed, task, 'completed');
    expect(done).toMatchObject({ attempt: 2, workerId: 'w2', failures: 0, losses: 0, reason: null });
    expect(done.attempts).toMatchObject([
      { state: 'evicted', workerId: 'w1', reason: null, eviction: { cause: 'drained' } },
      { state: 'completed', workerId: 'w2', eviction: null },
    ]);
    expect(done.attempts[0]?.eviction?.requestedAt).toBeGreaterThanOrEqual(until);
    expect(done.attempts[0]?.message).toMatch(/w1.* drained/);
    expect(scheduler.status().preempted).toBe(0);
  });

  it('takes what has not started back at once; without a deadline nothing is moved', async () => {
    const bed = await openBed();
    await bed.addWorker('w1', { works: false });
    await leading(await bed.addScheduler());
    const [task] = await bed.submit([cores(1)]);
    await untilState(bed, task, 'assigned');
    await bed.addWorker('w2');
    await drain(bed, 'w1', null);
    const [next] = await bed.submit([cores(1)]);
    await untilState(bed, next, 'completed');
    expect(await bed.task(task!.id)).toMatchObject({ state: 'assigned', attempt: 1 });
    await drain(bed, 'w1', Date.now() - 1);
    const done = await untilState(bed, task, 'completed');
    expect(done.attempts).toMatchObject([{ state: 'evicted', workerId: 'w1', startedAt: null }, {}]);
    expect(done).toMatchObject({ workerId: 'w2', losses: 0, failures: 0 });
    await waitFor(async () => (await bed.redis.intake.size()) === 0, { what: 'an empty intake queue' });
  });
});

describe('preemption', () => {
  it('gives the place of lower ones to a task of higher priority, and runs them later', async () => {
    const bed = await openBed();
    const ends: (() => void)[] = [];
    const freed = new Promise<void>((end) => ends.push(end));
    const run = ({ spec, attempt }: Task) => (spec.priority === 1 && attempt === 1 ? forever() : freed);
    const worker = await bed.addWorker('w1', { run });
    const scheduler = await bed.addScheduler(preempting);
    await leading(scheduler);
    const low = await bed.submit([1, 1, 1, 1].map((count) => ({ ...cores(count), priority: 1 })));
    const ids = low.map(({ id }) => id);
    await bed.until(ids, ['running']);
    const [high] = await bed.submit([{ ...cores(2), priority: 9 }]);
    const placed = await untilState(bed, high, 'running');
    const after = await bed.store.tasks.getMany(ids);
    const left = after.filter(({ attempts }) => attempts[0]?.state === 'evicted');
    // No more than are in the way; they wait and pay nothing.
    expect(left).toHaveLength(2);
    for (const task of left) {
      expect(task).toMatchObject({ state: 'queued', attempt: 2, failures: 0, losses: 0 });
      expect(task.attempts[0]?.eviction).toMatchObject({ cause: 'preempted' });
      expect(task.attempts[0]?.finishedAt).toBeLessThanOrEqual(placed.assignedAt ?? 0);
    }
    expect(scheduler.status().preempted).toBe(2);
    expect(worker.nudges.filter(({ type }) => type === 'evict')).toHaveLength(2);
    for (const end of ends) end();
    await bed.until([high!.id, ...left.map(({ id }) => id)], ['completed']);
    expect(worker.overCommitted).toBe(false);
  });

  it('spares who has left often enough of late, and takes the place of another', async () => {
    const bed = await openBed();
    await bed.addWorker('w1', { run: forever });
    await bed.addWorker('w2', { run: forever });
    const scheduler = await bed.addScheduler(preempting);
    await leading(scheduler);
    const [victim, other] = await bed.submit([1, 2].map((priority) => ({ ...cores(4), priority })));
    await bed.until([victim!.id, other!.id], ['running']);
    // As if it had left for others three times before.
    const now = await bed.task(victim!.id);
    const eviction = { requestedAt: Date.now(), cause: 'preempted' as const, message: '' };
    const [current] = now.attempts;
    const before = [-3, -2, -1].map((number) => ({
      ...current!,
      ...{ number, state: 'evicted' as const, workerId: 'gone', finishedAt: 1, eviction },
    }));
    const next = { ...now, revision: now.revision + 1, attempts: [...before, current!] };
    expect(await bed.store.tasks.commit(next)).toBe(true);
    const [high] = await bed.submit([{ ...cores(4), priority: 9 }]);
    await untilState(bed, high, 'running');
    expect(await bed.task(victim!.id)).toMatchObject({ state: 'running', attempt: 1 });
    expect((await bed.task(other!.id)).attempts[0]?.eviction).toMatchObject({ cause: 'preempted' });
    expect(scheduler.status().preempted).toBe(1);
  });

  it('is off unless it is asked for', async () => {
    const bed = await openBed();
    await bed.addWorker('w1', { run: forever });
    const scheduler = await bed.addScheduler();
    await leading(scheduler);
    const [low] = await bed.submit([{ ...cores(4), priority: 1 }]);
    await untilState(bed, low, 'running');
    const [high] = await bed.submit([{ ...cores(4), priority: 9 }]);
    await waitFor(() => scheduler.status().backlog === 1, { what: 'the task in the backlog' });
    // A task behind it has been decided on, so it has been as well.
    await bed.addWorker('w2', { capacity: { cpuMillis: 1_000 } });
    const [small] = await bed.submit([cores(1)]);
    await untilState(bed, small, 'completed');
    expect((await bed.task(low!.id)).attempts[0]?.eviction).toBeNull();
    expect((await bed.task(high!.id)).state).toBe('queued');
  });

  it('nudges a runner again that did not hear, tells nobody else to leave, and lets nobody overtake', async () => {
    const bed = await openBed();
    const workers = await Promise.all(
      ['w1', 'w2'].map((id) => bed.addWorker(id, { run: forever, obeys: false })),
    );
    const scheduler = await bed.addScheduler(preempting);
    await leading(scheduler);
    const low = await bed.submit([1, 2].map((priority) => ({ ...cores(4), priority })));
    await bed.until(
      low.map(({ id }) => id),
      ['running'],
    );
    const [high] = await bed.submit([{ ...cores(4), priority: 9 }]);
    const [victim, spared] = low as [Task, Task];
    await untilLeaving(bed, victim);
    const place = (await bed.task(victim.id)).workerId;
    const worker = workers.find(({ id }) => id === place);
    const [small] = await bed.submit([{ ...cores(1), priority: 2 }]);
    await waitFor(() => (worker?.nudges.length ?? 0) >= 3, { what: 'nudges again and again' });
    expect(scheduler.status().preempted).toBe(1);
    expect((await bed.task(spared.id)).attempts[0]?.eviction).toBeNull();
    worker?.obey();
    const placed = await untilState(bed, high, 'running');
    expect(placed.workerId).toBe(place);
    expect((await bed.task(small!.id)).state).toBe('queued');
    expect(scheduler.status().preempted).toBe(1);
  });
});

describe('another leader', () => {
  it('goes on where evictions are under way: nobody else has to leave, nobody overtakes', async () => {
    const bed = await openBed({ leaderLeaseSeconds: 2 });
    const workers = await Promise.all(
      ['w1', 'w2'].map((id) => bed.addWorker(id, { run: forever, obeys: false })),
    );
    let lease: ReturnType<typeof cuttable> | undefined;
    const first = await bed.addScheduler({
      ...preempting,
      lease: (real) => {
        lease = cuttable(real);
        return lease;
      },
    });
    await leading(first);
    const low = await bed.submit([1, 2].map((priority) => ({ ...cores(4), priority })));
    await bed.until(
      low.map(({ id }) => id),
      ['running'],
    );
    const [victim, spared] = low as [Task, Task];
    const [high] = await bed.submit([{ ...cores(4), priority: 9 }]);
    await untilLeaving(bed, victim);
    lease!.cut = true;
    const second = await bed.addScheduler(preempting);
    await leading(second);
    const [small] = await bed.submit([{ ...cores(1), priority: 2 }]);
    await waitFor(() => second.status().backlog === 2, { what: 'both waiting tasks in the backlog' });
    for (const worker of workers) worker.obey();
    const placed = await untilState(bed, high, 'running');
    expect(placed.attempts).toMatchObject([{ number: 1, term: 2 }]);
    const left = await bed.task(victim.id);
    expect(left).toMatchObject({ state: 'queued', attempt: 2, losses: 0 });
    expect(left.attempts[0]?.workerId).toBe(placed.workerId);
    expect((await bed.task(spared.id)).attempts[0]?.eviction).toBeNull();
    expect((await bed.task(small!.id)).state).toBe('queued');
    expect([first.status().preempted, second.status().preempted]).toEqual([1, 0]);
  });
});

/** Stands still for whoever asks it how much time has passed, like a process that is paused. */
class PausableClock implements Clock {
  #pausedAt: number | null = null;

  now(): number {
    return systemClock.now();
  }

  monotonic(): number {
    return this.#pausedAt ?? systemClock.monotonic();
  }

  pause(): void {
    this.#pausedAt = systemClock.monotonic();
  }
}

describe('a leader that was paused and wakes in a later term', () => {
  /** It believes in its lease for ever, and what it writes as a leader is counted. */
  async function deposed(bed: Bed): Promise<{ scheduler: Scheduler; attempts: number[]; wake(): void }> {
    const clock = new PausableClock();
    const attempts: number[] = [];
    let lease: ReturnType<typeof cuttable> | undefined;
    const scheduler = await bed.addScheduler({
      ...preempting,
      clock,
      lease: (real) => {
        lease = cuttable(real);
        return lease;
      },
      store: (real: Store) => ({
        ...real,
        nextTerm: () => real.nextTerm(),
        close: () => real.close(),
        tasks: new Proxy(real.tasks, {
          get: (tasks, name) => {
            const member = Reflect.get(tasks, name).bind(tasks);
            if (name !== 'place') return member;
            return async (...args: Parameters<Store['tasks']['place']>) => {
              const written = await tasks.place(...args);
              attempts.push(written.size);
              return written;
            };
          },
        }),
      }),
    });
    await leading(scheduler);
    return {
      scheduler,
      attempts,
      wake: () => {
        lease!.cut = true;
        clock.pause();
      },
    };
  }

  it.each(['place', 'evict', 'take back'])('can not %s', async (what) => {
    const bed = await openBed({ leaderLeaseSeconds: 2 });
    await bed.addWorker('w1', { run: forever });
    const { scheduler, attempts, wake } = await deposed(bed);
    const [low] = await bed.submit([{ ...cores(2), priority: 1 }]);
    await untilState(bed, low, 'running');
    const before = attempts.length;
    wake();
    // Another one led meanwhile.
    const other = await bed.addScheduler();
    await leading(other);
    await other.stop();
    expect(scheduler.status()).toMatchObject({ leading: true, term: 1 });

    let task = low;
    if (what === 'take back') {
      await bed.store.workers.remove('w1');
      await bed.redis.bus.publish({ type: 'worker', workerId: 'w1' });
    } else [task] = await bed.submit([{ ...cores(what === 'place' ? 1 : 4), priority: 9 }]);
    await waitFor(() => attempts.length > before, { what: 'the write of the old term' });
    expect(attempts.slice(before)).toEqual([0]);
    await waitFor(() => !scheduler.status().leading, { what: 'the old leader to step down' });
    expect((await bed.task(low!.id)).attempts).toMatchObject([{ state: 'running', eviction: null }]);
    if (task !== low) expect(await bed.task(task!.id)).toMatchObject({ state: 'queued', attempts: [] });
    expect(scheduler.status().preempted).toBe(0);

    await leading(await bed.addScheduler(preempting));
    if (task === low) expect(await untilState(bed, low, 'queued')).toMatchObject({ losses: 1 });
    else expect((await untilState(bed, task, 'running')).attempts).toMatchObject([{ number: 1, term: 3 }]);
  });
});
