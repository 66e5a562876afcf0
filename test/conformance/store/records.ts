// Values that adapters tend to bend: quotes, NUL, emoji, half of an emoji, names of prototypes, dots and dollars.

import type { Task, TaskSpec, TaskState } from '../../../shared/model/task.ts';
import { assignTask, startTask } from '../../../shared/model/task-life.ts';
import { makeTask, taken } from '../../support/tasks.ts';

export const ODD_TEXT = 'a"b\'c`d\\e\n\t\0f%_*?.$x{}[]()^|/ \u2028 ä 😀 \ud83d ';

export const ODD_SPEC: Partial<TaskSpec> = {
  command: ['sh', '-c', ODD_TEXT, ''],
  name: `name ${ODD_TEXT}`,
  kValue: 0.1 + 0.2,
  env: { A: ODD_TEXT, constructor: 'x', $set: 'y', 'a.b': 'z', '': 'empty' },
  secrets: ['A'],
  priority: 9,
  timeoutSeconds: 2 ** 40,
  queueTimeoutSeconds: 2 ** 40,
  retryOnExitCodes: [75, 255],
  worker: 'worker-7',
  files: ['in/ä.txt'],
  constraints: { disk: ['ssd', 'nvme'], hasOwnProperty: ['x'], 'a.b': [''] },
  prefer: { zone: ['b', 'a'], 1: ['1'] },
};

export function assigned(task: Task, workerId = 'w1', term = 1): Task {
  return taken(assignTask(task, { workerId, term, now: 1_700_000_000_500 }));
}

export function started(task: Task): Task {
  const report = { containerId: 'c', imageId: null, gpuIds: ['gpu-0'], now: 1_700_000_000_600 };
  return taken(startTask(task, { ...report, attempt: task.attempt, workerId: task.workerId ?? '' }));
}

/** A record as it may stand in the store, in any state. */
export function inState(state: TaskState, over: Partial<Task> = {}, spec: Partial<TaskSpec> = {}): Task {
  const workerId = state === 'queued' ? null : 'w1';
  return makeTask(spec, { state, workerId, assignedAt: workerId === null ? null : 7, ...over });
}
