// How long tasks of a kind ran decides whose turn it is in a line, also for a leader that is new.

import { afterEach, describe, expect, it } from 'vitest';
import type { Store } from '../../../shared/ports/store.ts';
import { makeTask } from '../../support/tasks.ts';
import { waitFor } from '../../support/wait-for.ts';
import { Bed, leading } from './bed.ts';

let bed: Bed;
afterEach(() => bed.close());

/** Three tasks tagged `quick` that ran for ten seconds each, an hour ago. */
async function past(): Promise<void> {
  const startedAt = Date.now() - 3_600_000;
  const finishedAt = startedAt + 10_000;
  const over = { state: 'completed' as const, submittedAt: startedAt, startedAt, finishedAt };
  await bed.store.tasks.insert([1, 2, 3].map(() => makeTask({ tag: 'quick' }, over)));
}

/** Of one line: the second has less time until it must have ended. */
async function submitBoth(): Promise<{ unknown: string; quick: string }> {
  const [unknown, quick] = await bed.submit([{ tag: 'unknown' }, { tag: 'quick' }]);
  return { unknown: unknown!.id, quick: quick!.id };
}

async function order(ids: { unknown: string; quick: string }): Promise<string[]> {
  const worker = await bed.addWorker('w1', { capacity: { cpuMillis: 1_000 } });
  await bed.until(Object.values(ids), ['completed']);
  return worker.started;
}

describe('a new leader', () => {
  it('knows how long tasks run before it places the first', async () => {
    bed = await Bed.open({ workerLeaseSeconds: 20 });
    await past();
    const ids = await submitBoth();
    await leading(await bed.addScheduler());
    expect(await order(ids)).toEqual([ids.quick, ids.unknown]);
  });

  it('does not wait for it for long, and makes up for it later', async () => {
    bed = await Bed.open({ workerLeaseSeconds: 20 });
    await past();
    const ids = await submitBoth();
    let answer = (): void => undefined;
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    let pages = 0;
    const slow = (real: Store): Store => ({
      ...real,
      nextTerm: () => real.nextTerm(),
      close: () => real.close(),
      tasks: new Proxy(real.tasks, {
        get: (tasks, name) => {
          if (name === 'queued') pages += 1;
          const member = Reflect.get(tasks, name).bind(tasks);
          if (name !== 'endedRuns') return member;
          return async (page: Parameters<Store['tasks']['endedRuns']>[0]) => {
            await answered;
            return tasks.endedRuns(page);
          };
        },
      }),
    });
    await leading(await bed.addScheduler({ store: slow }));
    const before = pages;
    answer();
    // A round of repair reads two pages at least: after five the backlog has been told as well.
    await waitFor(() => pages >= before + 5, { what: 'two rounds of repair' });
    expect(await order(ids)).toEqual([ids.quick, ids.unknown]);
  });
});
