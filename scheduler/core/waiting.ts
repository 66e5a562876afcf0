// A waiting task as the index keeps it, from its record and how long its kind runs. Pure.

import { familiarImage } from '../../shared/model/image.ts';
import { queueExpiresAt } from '../../shared/model/retry.ts';
import type { RunTime } from '../../shared/model/run-times.ts';
import { deadlineOf } from '../../shared/model/sla.ts';
import type { WaitingTask } from './snapshot.ts';

/** What is read of a waiting task (part of the store's `QueuedTask` and `QueueEntry`). */
export interface QueuedFacts
  extends Omit<WaitingTask, 'expectedMs' | 'deadline' | 'revision' | 'image' | 'expiresAt'> {
  readonly image: string;
  readonly kValue: number;
  readonly queueTimeoutSeconds: number;
}

/** @param run as of the submission */
export function waitingTask(
  task: QueuedFacts & { readonly revision: number },
  run: Pick<RunTime, 'medianMs'>,
): WaitingTask {
  const { id, ownerId, revision, priority, resources, worker, labels, submittedAt, notBefore, queuedAt } =
    task;
  return {
    id,
    ownerId,
    revision,
    priority,
    resources,
    worker,
    labels,
    image: familiarImage(task.image),
    submittedAt,
    notBefore,
    queuedAt,
    expiresAt: queueExpiresAt(task),
    expectedMs: run.medianMs,
    deadline: deadlineOf(task, run.medianMs),
  };
}
