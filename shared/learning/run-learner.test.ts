import { describe, expect, it } from 'vitest';
import { waitFor } from '../../test/support/wait-for.ts';
import { silentLog } from '../platform/log.ts';
import type { EndedRun, TaskStore } from '../ports/task-store.ts';
import { RunLearner } from './run-learner.ts';

const NOW = 10_000_000_000;
const run = (n: number, runMs: number): EndedRun => ({
  id: `task-${n}`,
  state: 'completed',
  reason: null,
  image: 'python:3',
  tag: 't',
  kValue: 3,
  submittedAt: NOW - 5_000 + n,
  startedAt: NOW - 4_000 + n,
  finishedAt: NOW - 4_000 + n + runMs,
});
const kind = { image: 'python:3', tag: 't' };

/** A learner of a list of ended runs, which may be away. */
function learner(everyMs?: number) {
  const heard: string[] = [];
  const past = { ended: [] as EndedRun[], isAway: false, reads: 0, generation: 0 };
  const endedRuns: TaskStore['endedRuns'] = async ({ since, after }) => {
    past.reads += 1;
    if (past.isAway) throw new Error('away');
    const isLater = (one: EndedRun) => !after || one.finishedAt > after.finishedAt;
    return past.ended.filter((one) => one.finishedAt >= since && isLater(one));
  };
  const clock = { now: () => NOW, monotonic: () => 0 };
  const generation = async () => past.generation;
  const parts = { tasks: { endedRuns }, generation, defaultRunMs: 300_000, clock, log: silentLog(), everyMs };
  const onEnded = ({ id, state }: EndedRun, isMet: boolean | null) => heard.push(`${id} ${state} ${isMet}`);
  return { past, heard, of: new RunLearner({ ...parts, onEnded }) };
}

describe('a learner of run times', () => {
  it('keeps what it knows while it is stopped, and goes on from there', async () => {
    const { past, of } = learner();
    past.ended = [run(1, 100), run(2, 200), run(3, 300)];
    of.start();
    of.start();
    await of.looked();
    expect([of.looks, past.reads]).toEqual([1, 1]);
    expect(of.runTimeOf(kind)).toMatchObject({ medianMs: 200, learnedFrom: 3 });
    await of.stop();
    past.ended = [...past.ended, run(4, 400), run(5, 500)];
    expect(of.runTimeOf(kind).learnedFrom).toBe(3);
    of.start();
    await of.looked();
    await of.stop();
    expect(of.looks).toBe(2);
    expect(of.runTimeOf(kind)).toMatchObject({ medianMs: 300, learnedFrom: 5 });
  });

  it('learns anew from a record that was replaced', async () => {
    const { past, of } = learner();
    past.ended = [run(1, 100), run(2, 200), run(3, 300)];
    of.start();
    await of.looked();
    await of.stop();
    past.ended = [run(1, 700), run(2, 800), run(3, 900)];
    past.generation = 1;
    of.start();
    await of.looked();
    await of.stop();
    expect(of.runTimeOf(kind)).toMatchObject({ medianMs: 800, learnedFrom: 3 });
    expect(of.attainment()).toMatchObject({ met: 3, missed: 0 });
  });

  it('tells of each end once, whether it met its deadline', async () => {
    const { past, heard, of } = learner();
    past.ended = [
      { ...run(1, 100), kValue: 0.001 },
      run(2, 200),
      { ...run(3, 300), state: 'failed', reason: 'exit_code' },
      { ...run(4, 400), state: 'cancelled', startedAt: null },
    ];
    for (let look = 0; look < 2; look += 1) {
      of.start();
      await of.looked();
      await of.stop();
    }
    expect(heard).toEqual([
      'task-1 completed false',
      'task-2 completed true',
      'task-3 failed null',
      'task-4 cancelled null',
    ]);
  });

  it('says how often it has seen all there is: a look that fails is none', async () => {
    const { past, of } = learner(1);
    past.isAway = true;
    of.start();
    await of.looked();
    expect([of.looks, of.attainment()]).toEqual([0, null]);
    past.isAway = false;
    await waitFor(() => of.looks > 0, { what: 'a look' });
    await of.stop();
  });
});
