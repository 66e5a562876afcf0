// What a long list shows of a task: all of it stands in fields of its own, so that no spec and no attempt is read.

import type { Resources } from './resources.ts';
import type { Task } from './task.ts';

export interface TaskSummary
  extends Pick<
    Task,
    | 'id'
    | 'ownerName'
    | 'state'
    | 'revision'
    | 'attempt'
    | 'workerId'
    | 'reason'
    | 'exitCode'
    | 'submittedAt'
    | 'startedAt'
    | 'finishedAt'
  > {
  readonly name: string;
  readonly tag: string;
  readonly image: string;
  readonly priority: number;
  readonly resources: Pick<Resources, 'cpuMillis' | 'memoryMb' | 'gpus'>;
  readonly cancelRequested: boolean;
}
