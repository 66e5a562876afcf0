import { describe, expect, it } from 'vitest';
import type { Task } from '../../../shared/model/task.ts';
import { assignTask, finishTask, startTask, takeBackTask } from '../../../shared/model/task-life.ts';
import { makeTask, taken } from '../../../test/support/tasks.ts';
import { shownAttempt } from './shown-attempt.ts';

const ref = (task: Task) => ({ attempt: task.attempt, workerId: 'w1', now: 1 });
const place = (task: Task) => taken(assignTask(task, { workerId: 'w1', term: 1, now: 1 }));
const start = (task: Task) =>
  taken(startTask(task, { ...ref(task), containerId: 'c', imageId: null, gpuIds: [] }));
const lose = (task: Task) => taken(takeBackTask(task, { ...ref(task), message: 'lost' }));

describe('the attempt whose files are shown', () => {
  it('is none before one has run', () => {
    const task = makeTask();
    for (const early of [task, place(task), lose(place(task))]) expect(shownAttempt(early)).toBeNull();
  });

  it('is the one that runs or ran last, not the one that waits', () => {
    const first = start(place(makeTask()));
    expect(shownAttempt(first)).toBe(1);
    const again = lose(first);
    for (const waits of [again, place(again)]) expect([waits.attempt, shownAttempt(waits)]).toEqual([2, 1]);
    const second = start(place(again));
    const outcome = { kind: 'completed', exitCode: 0, message: null } as const;
    const ended = taken(finishTask(second, { ...ref(second), dice: 0, outcome }));
    for (const ran of [second, ended]) expect(shownAttempt(ran)).toBe(2);
  });
});
