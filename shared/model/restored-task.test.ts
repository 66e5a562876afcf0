import { describe, expect, it } from 'vitest';
import { makeTask } from '../../test/support/tasks.ts';
import { ATTEMPT_STEP, REVISION_STEP, restoredTask } from './restored-task.ts';

const NOW = 1_000_000;
const placed = (over: { maxLosses?: number; losses?: number } = {}) => {
  const { losses = 0, ...spec } = over;
  const task = makeTask(spec, { state: 'running', attempt: 2, revision: 7, workerId: 'w1', losses });
  return { ...task, assignedAt: 5, startedAt: 6 };
};
const now = { state: 'completed', revision: 9, attempt: 3, workerId: null } as const;

describe('a task that ran when the backup was made', () => {
  it('goes on where the present record has the same, or does not know it', () => {
    const task = placed();
    const same = { state: 'running', revision: 9, attempt: 2, workerId: 'w1' } as const;
    expect(restoredTask(task, same, NOW)).toEqual({ ...task, revision: 9 + REVISION_STEP });
    expect(restoredTask(task, null, NOW)).toEqual({ ...task, revision: 7 + REVISION_STEP });
  });

  it.each([0, 1, 5])('waits again where it is over, though only %i losses are allowed', (maxLosses) => {
    const task = placed({ maxLosses, losses: maxLosses });
    const again = restoredTask(task, now, NOW);
    expect(again).toMatchObject({ state: 'queued', attempt: 4, losses: maxLosses, notBefore: 0 });
    expect(again.spec).toEqual(task.spec);
    expect(again.attempt).toBeLessThan(ATTEMPT_STEP);
  });
});
