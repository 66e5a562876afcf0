// What goes is only what the record has given up, of workers that were gone at every look for long.

import { describe, expect, it } from 'vitest';
import type { Stray } from '../../shared/model/stray.ts';
import type { Task } from '../../shared/model/task.ts';
import { assignTask, finishTask, startTask, takeBackTask } from '../../shared/model/task-life.ts';
import { makeTask, taken } from '../../test/support/tasks.ts';
import { type Gone, goneWorkers, judgeStrays } from './strays.ts';

const OLD = 'worker-old';
const assigned = taken(assignTask(makeTask(), { workerId: OLD, term: 1, now: 1 }));
const by = { attempt: 1, workerId: OLD, now: 2 };
const running = taken(startTask(assigned, { ...by, containerId: 'c', imageId: 'i', gpuIds: [] }));
const lost = taken(takeBackTask(running, { ...by, message: 'gone' }));
const elsewhere = taken(assignTask(lost, { workerId: 'worker-2', term: 1, now: 3 }));
const again = taken(assignTask(lost, { workerId: OLD, term: 1, now: 3 }));
const ended = taken(
  finishTask(running, { ...by, dice: 0, outcome: { kind: 'completed', exitCode: 0, message: null } }),
);
const unknown = makeTask();

const container = (task: Task, over: Partial<Stray> = {}): Stray => ({
  workerId: OLD,
  kind: 'container',
  id: `container of ${task.id}`,
  of: { taskId: task.id, attempt: 1 },
  ...over,
});
const slot = (workerId = OLD): Stray => ({ workerId, kind: 'slot', id: `slot of ${workerId}`, of: null });
const judge = (strays: Stray[], tasks: Task[], known: string[] = []) =>
  judgeStrays(strays, new Map(tasks.map((task) => [task.id, task])), new Set(known));

describe('which workers are gone', () => {
  const look = (
    before: ReadonlyMap<string, Gone>,
    now: number,
    record?: { liveness: 'up' | 'down'; livenessAt: number },
  ) => goneWorkers([slot()], new Map(record ? [[OLD, record]] : []), before, now);

  it('is counted from the first look at which that is so, and anew after it was up', () => {
    const down = { liveness: 'down', livenessAt: 50 } as const;
    const first = look(new Map(), 1_000, down);
    expect(first.get(OLD)?.since).toBe(1_000);
    const second = look(first, 2_000, down);
    expect(second.get(OLD)?.since).toBe(1_000);
    const up = look(second, 3_000, { liveness: 'up', livenessAt: 60 });
    expect(up.size).toBe(0);
    expect(look(up, 4_000, down).get(OLD)?.since).toBe(4_000);
    // It was up between two looks.
    expect(look(second, 3_000, { liveness: 'down', livenessAt: 70 }).get(OLD)?.since).toBe(3_000);
  });

  it('counts one that is not on record, and forgets those of whom nothing is there', () => {
    const first = look(new Map(), 1_000);
    expect(look(first, 2_000).get(OLD)?.since).toBe(1_000);
    expect(goneWorkers([], new Map(), first, 2_000).size).toBe(0);
    // Removed by an admin: gone for another reason, and from then on.
    expect(look(look(new Map(), 500, { liveness: 'down', livenessAt: 1 }), 900).get(OLD)?.since).toBe(900);
  });
});

describe('what workers left that are gone', () => {
  it.each([
    ['taken back', lost],
    ['given to another worker', elsewhere],
    ['given to it anew', again],
    ['over', ended],
  ])('goes when its attempt is %s, with its volumes', (_, task) => {
    const things = [container(task), container(task, { kind: 'volume', id: 'volume' })];
    expect(judge(things, [task])).toEqual({ remove: things, left: [] });
  });

  it.each([
    ['assigned', assigned],
    ['running', running],
  ])('stays while the record asks for the attempt as %s', (_, task) => {
    expect(judge([container(task)], [task], [OLD])).toEqual({ remove: [], left: [] });
  });

  it('stays when the task is unknown, whoever knows the worker', () => {
    const thing = container(unknown);
    expect(judge([thing], [], [OLD])).toEqual({
      remove: [],
      left: [{ stray: thing, why: 'unknown_task' }],
    });
  });

  it('has slots that go only with a worker that this cluster knew', () => {
    expect(judge([slot()], [], [OLD])).toEqual({ remove: [slot()], left: [] });
    expect(judge([slot()], [])).toEqual({ remove: [], left: [{ stray: slot(), why: 'unknown_worker' }] });
  });

  it('has slots that stay where the name is another cluster’s, too', () => {
    const strays = [slot(), slot('other'), container(unknown), container(ended)];
    const { remove, left } = judge(strays, [ended], [OLD, 'other']);
    expect(remove).toEqual([slot('other'), container(ended)]);
    expect(left.map(({ why }) => why)).toEqual(['unknown_worker', 'unknown_task']);
  });
});
