import { describe, expect, it } from 'vitest';
import { makeTask, taken } from '../../test/support/tasks.ts';
import { stateChanges } from './state-changes.ts';
import type { Task } from './task.ts';
import { assignTask, finishTask, requestCancel, startTask, takeBackTask } from './task-life.ts';

const ref = (task: Task) => ({ attempt: task.attempt, workerId: 'w1', now: 5 });
const started = (task: Task): Task => {
  const placed = taken(assignTask(task, { workerId: 'w1', term: 1, now: 2 }));
  return taken(startTask(placed, { ...ref(placed), containerId: 'c', imageId: null, gpuIds: [] }));
};

describe('the states of a task', () => {
  it('only grow, whatever happens, and keep their numbers', () => {
    const queued = makeTask({ maxRetries: 1 });
    const running = started(queued);
    const lost = taken(takeBackTask(running, { ...ref(running), message: 'gone' }));
    const again = started(lost);
    const outcome = { kind: 'failed', reason: 'exit_code', exitCode: 3, message: 'exit code 3' } as const;
    const failed = taken(finishTask(again, { ...ref(again), dice: 0, outcome }));
    const last = started(failed);
    const ended = taken(finishTask(last, { ...ref(last), dice: 0, outcome }));
    let before: unknown[] = [];
    for (const task of [queued, running, lost, again, failed, last, ended]) {
      const now = stateChanges(task);
      expect(now.slice(0, before.length)).toEqual(before);
      expect(now.map(({ number }) => number)).toEqual(now.map((_, index) => index + 1));
      before = now;
    }
    const ends = stateChanges(ended).filter(({ exitCode }) => exitCode !== null);
    expect(ends.map(({ attempt, state, reason, exitCode }) => [attempt, state, reason, exitCode])).toEqual([
      [2, 'failed', 'exit_code', 3],
      [3, 'failed', 'exit_code', 3],
    ]);
  });

  it('end with a cancel that came while it waited', () => {
    const task = taken(requestCancel(makeTask(), { force: false, requestedBy: 'a', now: 3 }));
    expect(stateChanges(task).map(({ number, state }) => [number, state])).toEqual([
      [1, 'queued'],
      [2, 'cancelled'],
    ]);
  });
});
