// What a leader tells: its report on the board, which the next leader goes on from, and its decisions, which can be made
// again.

import { afterEach, describe, expect, it } from 'vitest';
import type { Resources } from '../../../shared/model/resources.ts';
import { readDecisions, replayDecisions } from '../../support/decisions.ts';
import { waitFor } from '../../support/wait-for.ts';
import { Bed, leading } from './bed.ts';

const forever = () => new Promise<void>(() => undefined);
const cores = (count: number): { resources: Resources } => ({
  resources: { cpuMillis: count * 1_000, memoryMb: 128, gpus: 0, storageMb: 0 },
});

let bed: Bed;
afterEach(() => bed.close());

describe('the report of the leader', () => {
  it('says by which rules it places and what it keeps, and the next leader goes on from there', async () => {
    bed = await Bed.open({ workerLeaseSeconds: 20 });
    const rules = { policy: 'best-fit' as const, reserveAfterMs: 1, ageingMs: 5_000 };
    expect(await bed.redis.schedulerBoard.read()).toBeNull();
    await bed.addWorker('w1', { run: forever });
    const first = await bed.addScheduler({ rules });
    await leading(first);
    const small = await bed.submit([cores(2), cores(2)]);
    await bed.until(
      small.map(({ id }) => id),
      ['running'],
    );
    const [large] = await bed.submit([cores(4), cores(4)]);
    await bed.submit([{ ...cores(64), priority: 9 }]);
    const told = await waitFor(
      async () => {
        const report = await bed.redis.schedulerBoard.read();
        return report?.placed === 2 && report.waiting === 3 && report.reservations.length === 1 && report;
      },
      { what: 'a report of all that' },
    );
    expect(told).toMatchObject({
      term: 1,
      rules: { ...rules, preemption: false },
      recent: ['w1'],
      reservations: [{ workerId: 'w1', taskId: large!.id }],
      lines: 2,
      preempted: 0,
    });
    expect(Math.abs(Date.now() - told.at)).toBeLessThan(30_000);

    await first.stop();
    const second = await bed.addScheduler({ rules: { ...rules, policy: 'spread' } });
    await leading(second);
    const next = await waitFor(
      async () => {
        const report = await bed.redis.schedulerBoard.read();
        return report?.term === 2 && report.waiting === 3 && report;
      },
      { what: 'a report of the next leader' },
    );
    expect(next).toMatchObject({ rules: { policy: 'spread' }, recent: ['w1'], placed: 0 });
    expect(next.reservations).toEqual(told.reservations);
  });
});

describe('a line that was served a moment ago', () => {
  it('does not count as passed over under the next leader', async () => {
    bed = await Bed.open({ workerLeaseSeconds: 20 });
    await bed.addWorker('w1', { run: forever });
    const first = await bed.addScheduler();
    await leading(first);
    const tasks = await bed.submit([cores(2), cores(2), cores(2)]);
    const report = (term: number) =>
      waitFor(
        async () => {
          const told = await bed.redis.schedulerBoard.read();
          return told?.term === term && told.waiting === 1 && told.served.length === 1 && told;
        },
        { what: `a report of term ${term} with the line` },
      );
    const { served } = await report(1);
    const placed = (await bed.store.tasks.getMany(tasks.map(({ id }) => id))).map(
      ({ assignedAt }) => assignedAt ?? 0,
    );
    expect(served[0]?.[1]).toBeLessThanOrEqual(Date.now());
    expect(served[0]?.[1]).toBeGreaterThanOrEqual(Math.max(...placed));
    await first.stop();
    await leading(await bed.addScheduler());
    expect((await report(2)).served).toEqual(served);
  });
});

describe('the decisions of the leader', () => {
  it('are kept while it goes on, and are the same when they are made again', async () => {
    bed = await Bed.open({ workerLeaseSeconds: 20 });
    const run = ({ priority }: { priority: number }) => (priority === 1 ? forever() : Promise.resolve());
    for (const id of ['w1', 'w2']) await bed.addWorker(id, { run: ({ spec }) => run(spec) });
    const scheduler = await bed.addScheduler({ rules: { preemption: true } });
    await leading(scheduler);
    const low = await bed.submit(Array.from({ length: 8 }, () => ({ ...cores(1), priority: 1 })));
    await bed.until(
      low.map(({ id }) => id),
      ['running'],
    );
    const high = await bed.submit(Array.from({ length: 3 }, () => ({ ...cores(2), priority: 9 })));
    const ids = high.map(({ id }) => id);
    await bed.until(ids, ['completed']);
    const decisions = await waitFor(
      async () => {
        const entries = await bed.redis.decisions.read({ limit: 1_000 });
        const found = [...readDecisions(entries.map(({ line }) => line))];
        const placed = new Set(
          found.flatMap((one) => ('made' in one ? one.made.placements.map(({ taskId }) => taskId) : [])),
        );
        return ids.every((id) => placed.has(id)) && found;
      },
      { what: 'the decisions about the three' },
    );
    const whole = decisions.flatMap((one) => ('made' in one ? [one] : []));
    expect(whole).toHaveLength(decisions.length);
    expect(new Set(whole.map(({ term }) => term))).toEqual(new Set([1]));
    const sentAway = whole.flatMap(({ made }) => made.preemptions);
    expect(sentAway.length).toBe(scheduler.status().preempted);
    expect(sentAway.length).toBeGreaterThanOrEqual(2);
    expect(replayDecisions(whole)).toBeNull();
  });
});
