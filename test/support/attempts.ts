// Attempts of tasks in the states in which a runner meets them, and what it makes of them next.

import {
  type Doing,
  NOTHING_DONE,
  nextStep,
  type Situation,
  type Step,
} from '../../runner/core/next-step.ts';
import type { SeenContainer } from '../../shared/model/container.ts';
import type { Task } from '../../shared/model/task.ts';
import { assignTask, evictTask, requestCancel, startTask } from '../../shared/model/task-life.ts';
import { makeTask, taken } from './tasks.ts';

export const key = { taskId: 'task-1', attempt: 1, workerId: 'worker-1' };
export const GRACE_MS = 10_000;

export function assigned(spec: Parameters<typeof makeTask>[0] = {}): Task {
  return taken(assignTask(makeTask(spec), { workerId: 'worker-1', term: 1, now: 1 }));
}
export const running = (task: Task) =>
  taken(startTask(task, { ...key, now: 2, containerId: 'c', imageId: 'i', gpuIds: [] }));
export const cancelled = (task: Task, force = false) =>
  taken(requestCancel(task, { force, requestedBy: 'alice', now: 3 }));
export const evicted = (task: Task) =>
  taken(evictTask(task, { ...key, requestedAt: 3, cause: 'preempted', message: 'makes room' }));
export const container = (over: Partial<SeenContainer> = {}): SeenContainer => ({
  id: 'c',
  state: 'running',
  startedAt: 2,
  finishedAt: null,
  exitCode: null,
  oomKilled: false,
  ...over,
});
export const ended = (exitCode = 0) => container({ state: 'exited', finishedAt: 5_000, exitCode });
export const step = (over: Partial<Omit<Situation, 'doing'>> & { doing?: Partial<Doing> }): Step =>
  nextStep({
    key,
    task: assigned(),
    seen: null,
    now: 1_000,
    graceMs: GRACE_MS,
    ...over,
    doing: { ...NOTHING_DONE, ...over.doing },
  });
