// Workers that say of themselves that something is wrong: they are given nothing new, keep what runs, and what they cannot
// start goes elsewhere at no cost. With played workers; that a real runner judges its engine is shown in
// test/scenario/runner.

import { afterEach, describe, expect, it } from 'vitest';
import { DecisionReader } from '../../../scheduler/core/decision-reader.ts';
import type { Trouble } from '../../../shared/model/worker-health.ts';
import { waitFor } from '../../support/wait-for.ts';
import { Bed, type BedOptions, leading } from './bed.ts';

const AWAY: Trouble = { code: 'engine_away', message: 'its Docker does not answer', since: 1 };
const STUCK: Trouble = { code: 'logs_failing', message: 'output of its tasks cannot be kept', since: 1 };
const small = { resources: { cpuMillis: 500, memoryMb: 64, gpus: 0, storageMb: 0 } };

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});
async function openBed(options: BedOptions = {}): Promise<Bed> {
  const bed = await Bed.open({ workerLeaseSeconds: 20, reconcileSeconds: 60, ...options });
  ends.push(() => bed.close());
  return bed;
}
const tellOf = (bed: Bed, workerId: string) => bed.redis.bus.publish({ type: 'worker', workerId });

describe('an unhealthy worker', () => {
  it('is given nothing new and keeps what it runs; when it is well it takes tasks again', async () => {
    const bed = await openBed();
    let release = () => {};
    const held = new Promise<void>((done) => {
      release = done;
    });
    const w1 = await bed.addWorker('w1', { run: () => held });
    await leading(await bed.addScheduler());
    const [running] = await bed.submit([small]);
    await bed.until([running!.id], ['running']);
    await w1.complain(AWAY);
    await tellOf(bed, 'w1');
    const w2 = await bed.addWorker('w2');
    const others = await bed.submit(Array.from({ length: 6 }, () => small));
    const ids = others.map(({ id }) => id);
    for (const { workerId } of await bed.until(ids, ['completed'])) expect(workerId).toBe('w2');
    expect(w1.deliveries.map(({ taskId }) => taskId)).toEqual([running!.id]);
    expect(await bed.task(running!.id)).toMatchObject({ state: 'running', workerId: 'w1', attempt: 1 });

    await w2.complain(STUCK);
    await w1.complain();
    await tellOf(bed, 'w1');
    const [last] = await bed.submit([small]);
    await bed.until([last!.id], ['running']);
    expect((await bed.task(last!.id)).workerId).toBe('w1');
    release();
    await bed.until([running!.id, last!.id], ['completed']);
  });

  it('stands as such in what is kept of decisions', async () => {
    const bed = await openBed();
    await bed.addWorker('w1', { troubles: [AWAY] });
    await bed.addWorker('w2');
    await leading(await bed.addScheduler());
    await bed.submit([small]);
    const state = await waitFor(
      async () => {
        const reader = new DecisionReader();
        for (const { line } of await bed.redis.decisions.read({ limit: 1_000 })) {
          const read = reader.take(line);
          const worker = read?.kind === 'decision' && read.snapshot.workers.find(({ id }) => id === 'w1');
          if (worker) return worker.state;
        }
        return null;
      },
      { what: 'a pass in the decision log' },
    );
    expect(state).toBe('unhealthy');
  });

  it('gives back what it cannot start, at no cost', async () => {
    const bed = await openBed({ unhealthyGraceSeconds: 0.3 });
    const w1 = await bed.addWorker('w1', { works: false });
    await leading(await bed.addScheduler());
    const [task] = await bed.submit([small]);
    await bed.until([task!.id], ['assigned']);
    await w1.complain(AWAY);
    await tellOf(bed, 'w1');
    const [waiting] = await bed.until([task!.id], ['queued']);
    expect(waiting).toMatchObject({ attempt: 2, failures: 0, losses: 0, notBefore: 0 });
    expect(waiting!.message).toBe('w1 did not start it, for it is unhealthy: its Docker does not answer');
    expect(waiting!.attempts).toMatchObject([{ state: 'evicted', eviction: { cause: 'unhealthy' } }]);
    await bed.addWorker('w2');
    const [done] = await bed.until([task!.id], ['completed']);
    expect(done).toMatchObject({ workerId: 'w2', attempt: 2 });
  });

  it('that can start tasks all the same keeps what it was given', async () => {
    const bed = await openBed({ unhealthyGraceSeconds: 0 });
    const w1 = await bed.addWorker('w1', { works: false });
    await leading(await bed.addScheduler());
    const [slow] = await bed.submit([small]);
    await bed.until([slow!.id], ['assigned']);
    await w1.complain(STUCK);
    await tellOf(bed, 'w1');
    // Passed over, which shows that the trouble was heard of.
    const [next] = await bed.submit([small]);
    await bed.addWorker('w2');
    await bed.until([next!.id], ['completed']);
    expect(await bed.task(slow!.id)).toMatchObject({ state: 'assigned', attempt: 1, workerId: 'w1' });
  });
});
