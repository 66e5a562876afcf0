// Parts die, and nothing is lost or done twice.

import { afterEach, describe, expect, it } from 'vitest';
import { AppError } from '../../../shared/errors.ts';
import type { Store } from '../../../shared/ports/store.ts';
import { OwnRedis } from '../../support/own-redis.ts';
import { makeRegistration } from '../../support/tasks.ts';
import { waitFor } from '../../support/wait-for.ts';
import { Bed, type BedOptions, cuttable, leading } from './bed.ts';

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});
async function openBed(options: BedOptions = {}): Promise<Bed> {
  const bed = await Bed.open(options);
  ends.push(() => bed.close());
  return bed;
}

/** A store that can be cut off: every call of tasks, workers and terms fails as an adapter says it must. */
function cuttableStore(real: Store): { store: Store; cut: boolean; refused: number } {
  const state = { cut: false, refused: 0 };
  const guarded = <T extends object>(part: T): T =>
    new Proxy(part, {
      get: (target, name) => {
        const member = Reflect.get(target, name);
        if (typeof member !== 'function') return member;
        return async (...args: unknown[]) => {
          if (state.cut) {
            state.refused += 1;
            throw new AppError('store_unavailable', 'cut off', { retryable: true });
          }
          return member.apply(target, args);
        };
      },
    });
  const store = { ...guarded(real), tasks: guarded(real.tasks), workers: guarded(real.workers) };
  store.nextTerm = guarded({ nextTerm: () => real.nextTerm() }).nextTerm;
  return Object.assign(state, { store });
}

describe('the store', () => {
  it('away and back: the leader waits and goes on, and so does one that has yet to begin', async () => {
    const bed = await openBed({ workerLeaseSeconds: 20 });
    await bed.addWorker('w1');
    let cut: ReturnType<typeof cuttableStore> | undefined;
    const scheduler = await bed.addScheduler({
      store: (real) => {
        cut = cuttableStore(real);
        cut.cut = true;
        return cut.store;
      },
    });
    await waitFor(() => cut!.refused > 1, { what: 'a term to be asked for in vain' });
    cut!.cut = false;
    await leading(scheduler);
    cut!.cut = true;
    const { refused } = cut!;
    const tasks = await bed.submit(Array.from({ length: 20 }, () => ({})));
    await waitFor(() => cut!.refused > refused + 1, { what: 'reads in vain' });
    cut!.cut = false;
    const done = await bed.until(
      tasks.map(({ id }) => id),
      ['completed'],
    );
    expect(done.every(({ attempts }) => attempts.length === 1)).toBe(true);
  });
});

describe('two schedulers', () => {
  it('one plans and the other takes over at once when it stops', async () => {
    const bed = await openBed({ leaderLeaseSeconds: 30 });
    const worker = await bed.addWorker('w1');
    const first = await bed.addScheduler();
    await leading(first);
    const second = await bed.addScheduler();
    const [one] = await bed.submit([{}]);
    await bed.until([one!.id], ['completed']);
    expect(second.status()).toMatchObject({ leading: false, term: null, placed: 0 });
    await first.stop();
    await leading(second);
    const [two] = await bed.submit([{}]);
    const [done] = await bed.until([two!.id], ['completed']);
    expect(done!.attempts).toMatchObject([{ term: 2 }]);
    expect(worker.deliveries).toHaveLength(2);
    expect(second.status()).toMatchObject({ leading: true, term: 2, placed: 1 });
  });

  it('the other takes over when the leader is cut off, under load, and nothing is placed twice', async () => {
    const bed = await openBed({ leaderLeaseSeconds: 2, workerLeaseSeconds: 20 });
    const workers = await Promise.all(['w1', 'w2'].map((id) => bed.addWorker(id)));
    let lease: ReturnType<typeof cuttable> | undefined;
    const first = await bed.addScheduler({
      lease: (real) => {
        lease = cuttable(real);
        return lease;
      },
    });
    await leading(first);
    const second = await bed.addScheduler();
    const before = await bed.submit(Array.from({ length: 300 }, () => ({})));
    await waitFor(() => first.status().placed > 20, { what: 'the first to place something' });
    lease!.cut = true;
    await waitFor(() => second.status().leading, { what: 'the second to lead', deadlineMs: 60_000 });
    expect(first.status().leading).toBe(false);
    const after = await bed.submit(Array.from({ length: 100 }, () => ({})));
    const ids = [...before, ...after].map(({ id }) => id);
    await waitFor(async () => (await bed.store.tasks.countByState()).completed === ids.length, {
      what: 'all tasks to be completed',
      deadlineMs: 60_000,
      everyMs: 100,
    });
    const done = await bed.store.tasks.getMany(ids);
    expect(done.every(({ attempts }) => attempts.length === 1)).toBe(true);
    const started = workers.flatMap((worker) => worker.started);
    expect(started).toHaveLength(ids.length);
    expect(new Set(started).size).toBe(ids.length);
    expect(workers.some(({ overCommitted }) => overCommitted)).toBe(false);
    const terms = new Set(done.map(({ attempts }) => attempts[0]!.term));
    expect([...terms].every((term) => term <= second.status().term!)).toBe(true);
    expect(first.status().placed + second.status().placed).toBe(ids.length);
  });

  it('a leader whose term was overtaken in the store steps down and comes back with a new one', async () => {
    const bed = await openBed();
    await bed.addWorker('w1');
    const scheduler = await bed.addScheduler();
    await leading(scheduler);
    await bed.store.nextTerm();
    const [task] = await bed.submit([{}]);
    const [done] = await bed.until([task!.id], ['completed']);
    expect(done!.attempts).toMatchObject([{ number: 1, term: 3 }]);
    expect(scheduler.status()).toMatchObject({ term: 3 });
  });

  it('the next leader delivers what the last one placed and could not deliver', async () => {
    const bed = await openBed();
    const scheduler = await bed.addScheduler();
    await leading(scheduler);
    const worker = await bed.addWorker('w1', { works: false });
    const [task] = await bed.submit([{}]);
    await bed.until([task!.id], ['assigned']);
    await waitFor(() => worker.deliveries.length === 1, { what: 'the delivery' });
    await scheduler.stop();
    await bed.redis.deliveries.clear('w1');
    await worker.die();
    const again = await bed.addWorker('w1');
    await bed.addScheduler();
    const [done] = await bed.until([task!.id], ['completed']);
    expect(done).toMatchObject({ attempt: 1 });
    expect(again.started).toEqual([task!.id]);
  });
});

describe('a worker', () => {
  it('that falls silent is down, its tasks run elsewhere, and it cannot commit them any more', async () => {
    const bed = await openBed({ workerLeaseSeconds: 2 });
    const forever = () => new Promise<void>(() => undefined);
    const dying = await bed.addWorker('w1', { run: forever });
    const scheduler = await bed.addScheduler();
    await leading(scheduler);
    const [running] = await bed.submit([{}]);
    await bed.until([running!.id], ['running']);
    const [cancelled] = await bed.submit([{}]);
    await bed.until([cancelled!.id], ['running']);
    const record = await bed.task(cancelled!.id);
    const cancel = { requestedAt: 1, requestedBy: 'alice', force: false };
    await bed.store.tasks.commit({ ...record, cancel, revision: record.revision + 1 });
    const diedAt = performance.now();
    await dying.die();
    await bed.addWorker('w2');
    const [done] = await bed.until([running!.id], ['completed']);
    expect(performance.now() - diedAt).toBeGreaterThan(1_000);
    expect(done).toMatchObject({
      attempt: 2,
      workerId: 'w2',
      losses: 1,
      failures: 0,
      attempts: [{ state: 'lost', reason: 'worker_lost', workerId: 'w1' }, { state: 'completed' }],
    });
    await bed.until([cancelled!.id], ['cancelled']);
    expect(await dying.finish(running!.id, 1)).toBeNull();
    expect((await bed.store.workers.get('w1'))!.liveness).toBe('down');
    expect(await bed.redis.deliveries.depth('w1')).toBe(0);
    await bed.addWorker('w1');
    await waitFor(async () => (await bed.store.workers.get('w1'))!.liveness === 'up', {
      what: 'the worker to be up again',
    });
    const [back] = await bed.submit([{ worker: 'w1' }]);
    await bed.until([back!.id], ['completed']);
  });

  it('that is registered and has not begun to beat gets nothing', async () => {
    const bed = await openBed({ workerLeaseSeconds: 10 });
    await bed.store.workers.register(makeRegistration({ id: 'w-paper' }));
    await bed.addWorker('w-real');
    await leading(await bed.addScheduler());
    const tasks = await bed.submit(Array.from({ length: 6 }, () => ({})));
    const [tied] = await bed.submit([{ worker: 'w-paper' }]);
    const done = await bed.until(
      tasks.map(({ id }) => id),
      ['completed'],
    );
    expect(done.every(({ workerId, attempt }) => workerId === 'w-real' && attempt === 1)).toBe(true);
    expect((await bed.task(tied!.id)).state).toBe('queued');
    await bed.addWorker('w-paper');
    await bed.until([tied!.id], ['completed']);
  });

  it('that is removed from the cluster loses its tasks to others', async () => {
    const bed = await openBed();
    const gone = await bed.addWorker('w1', { works: false });
    await leading(await bed.addScheduler());
    const [task] = await bed.submit([{}]);
    await bed.until([task!.id], ['assigned']);
    await gone.die();
    await bed.store.workers.remove('w1');
    await bed.addWorker('w2');
    const [done] = await bed.until([task!.id], ['completed']);
    expect(done).toMatchObject({ workerId: 'w2', attempt: 2 });
    expect(done!.attempts[0]!.message).toMatch(/removed|lost/);
  });
});

describe('Redis', () => {
  it('emptied: work goes on, no worker is called down, nothing is lost', async () => {
    const own = await OwnRedis.started();
    ends.push(() => own.remove());
    const bed = await openBed({ url: own.url, workerLeaseSeconds: 3 });
    const worker = await bed.addWorker('w1', { capacity: { cpuMillis: 1000 }, works: false });
    const scheduler = await bed.addScheduler();
    await leading(scheduler);
    const tasks = await bed.submit([{}, {}, {}]);
    await waitFor(() => worker.deliveries.length === 1, { what: 'a delivery' });
    await worker.die();
    await own.call('FLUSHALL');
    const again = await bed.addWorker('w1', { capacity: { cpuMillis: 1000 } });
    const later = await bed.submit([{}]);
    const done = await bed.until(
      [...tasks, ...later].map(({ id }) => id),
      ['completed'],
      60_000,
    );
    expect(done.every(({ attempt }) => attempt === 1)).toBe(true);
    expect(again.started).toHaveLength(4);
    expect((await bed.store.workers.get('w1'))!.liveness).toBe('up');
  });

  it('emptied: the intake queue shows again what waits', async () => {
    const own = await OwnRedis.started();
    ends.push(() => own.remove());
    const bed = await openBed({ url: own.url });
    await leading(await bed.addScheduler());
    const tasks = await bed.submit([{}, { priority: 9 }]);
    await own.call('FLUSHALL');
    await waitFor(async () => (await bed.redis.intake.size()) === 2, { what: 'two entries' });
    expect(await bed.redis.intake.page(0, 10)).toEqual([tasks[1]!.id, tasks[0]!.id]);
  });

  it('away and back, empty: what was submitted meanwhile runs', async () => {
    const own = await OwnRedis.started();
    ends.push(() => own.remove());
    const bed = await openBed({ url: own.url, leaderLeaseSeconds: 2 });
    await bed.addWorker('w1');
    const scheduler = await bed.addScheduler();
    await leading(scheduler);
    await own.kill();
    const tasks = await bed.submit([{}, {}], { quietly: true });
    await waitFor(() => !scheduler.status().leading, { what: 'the scheduler to step down' });
    await own.start();
    const done = await bed.until(
      tasks.map(({ id }) => id),
      ['completed'],
      60_000,
    );
    expect(done.every(({ attempt }) => attempt === 1)).toBe(true);
  });
});
