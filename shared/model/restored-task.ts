// What becomes of the tasks of a backup that is put back. Pure.
//
// A task that had ended stays as it was. One that waited waits again, under an attempt that nobody has used since: output
// and deliveries are kept by attempt. One that was placed goes on if its container may still be there, which its worker
// finds out; it is taken back when the present record says that the attempt is over. All get revisions far beyond those
// that were ever seen, so that no writer who read the record before matches one by chance.

import type { Task, TaskState } from './task.ts';
import { takeBackTask } from './task-life.ts';
import { isPlaced } from './task-states.ts';

/** More than any task is written between a backup and its restore. */
export const REVISION_STEP = 1_000_000;
/** Far more than any task is tried. For those that the present record does not know, which may have run since. */
export const ATTEMPT_STEP = 100;

/** What the present record says of the same task. */
export interface PresentTask {
  readonly state: TaskState;
  readonly revision: number;
  readonly attempt: number;
  readonly workerId: string | null;
}

const MESSAGE = 'the cluster was restored from a backup that was made while it ran here; it is tried again';

/** A placed task of the backup as it goes on. */
export function restoredTask(task: Task, present: PresentTask | null, now: number): Task {
  const revision = Math.max(task.revision, present?.revision ?? 0) + REVISION_STEP;
  if (!present || isSamePlacement(task, present)) return { ...task, revision };
  const { attempt } = task;
  // It is not the task's fault: no limit of losses ends it, not even one that allows none.
  const lost = takeBackTask(
    { ...task, losses: 0, spec: { ...task.spec, maxLosses: 1 } },
    { attempt, workerId: task.workerId ?? '', now, message: MESSAGE },
  );
  if (!lost.ok) return { ...task, revision };
  const isQueued = lost.task.state === 'queued';
  return {
    ...lost.task,
    revision,
    spec: task.spec,
    losses: task.losses,
    notBefore: 0,
    attempt: isQueued ? Math.max(attempt, present.attempt) + 1 : attempt,
  };
}

function isSamePlacement(task: Task, present: PresentTask): boolean {
  return isPlaced(present.state) && present.attempt === task.attempt && present.workerId === task.workerId;
}
