// Which attempt's files are meant when nobody says. Pure.

import type { Task } from '../../../shared/model/task.ts';

/**
 * The latest attempt that has begun to run, ended or not: a task that was tried again shows the files of its last
 * try. Null while none has, as one that was never started left nothing.
 */
export function shownAttempt(task: Pick<Task, 'attempts'>): number | null {
  const begun = task.attempts.filter(({ startedAt }) => startedAt !== null).map(({ number }) => number);
  return begun.length === 0 ? null : Math.max(...begun);
}
