import { describe, expect, it } from 'vitest';
import type { TaskEvent } from '../../shared/contracts/live.ts';
import { afterEvent, byWorker, type PlacedTask } from './placed-tasks.ts';

const task = (task_id: string, worker_id: string, status: PlacedTask['status'] = 'running') =>
  ({ task_id, worker_id, status }) as PlacedTask;
const event = (task_id: string, status: TaskEvent['status'], worker_id: string | null) =>
  ({ task_id, status, worker_id, attempt: 1, revision: 2, at: '' }) satisfies TaskEvent;

describe('the tasks on workers', () => {
  const tasks = [task('task-2', 'a'), task('task-1', 'a', 'assigned'), task('task-3', 'b')];

  it('are grouped, the oldest first', () => {
    const groups = byWorker(tasks);
    expect(groups.get('a')?.map(({ task_id }) => task_id)).toEqual(['task-1', 'task-2']);
    expect(groups.get('b')).toHaveLength(1);
  });

  it('lose one that has ended or waits again', () => {
    expect(afterEvent(tasks, event('task-2', 'completed', 'a'))).toEqual([tasks[1], tasks[2]]);
    expect(afterEvent(tasks, event('task-2', 'queued', null))).toHaveLength(2);
    expect(afterEvent(tasks, event('task-9', 'failed', 'a'))).toBe(tasks);
  });

  it('take a new state, and are asked for again when one is not known or has moved', () => {
    expect(afterEvent(tasks, event('task-1', 'running', 'a'))?.[1]?.status).toBe('running');
    expect(afterEvent(tasks, event('task-1', 'assigned', 'a'))).toBe(tasks);
    expect(afterEvent(tasks, event('task-9', 'assigned', 'a'))).toBeNull();
    expect(afterEvent(tasks, event('task-1', 'assigned', 'b'))).toBeNull();
  });
});
