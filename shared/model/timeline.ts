// A task's life as a list of what happened, read off its record. Pure. The order is that of the events; times are by
// the clock of whoever wrote them, so between machines whose clocks differ one may lie before the entry above it.

import type { Attempt, AttemptState, Task, TaskState } from './task.ts';
import { isTerminal } from './task-states.ts';

export interface TimelineEntry {
  /** A state that the task entered, or the end of an attempt after which the task goes on (`lost`, `failed`, `evicted`). */
  readonly state: TaskState | AttemptState;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** The attempt it belongs to; of `queued` the one that is waited for. */
  readonly attempt: number;
  readonly workerId: string | null;
  /** In words for the user, where there is something to say. */
  readonly message: string | null;
}

export function timeline(task: Task): TimelineEntry[] {
  const entries: TimelineEntry[] = [queued(1, task.submittedAt, null, 0)];
  let before: Attempt | null = null;
  for (const attempt of task.attempts) {
    // It went back to the queue with the end of the attempt before: one write, one time.
    if (attempt.number > 1) {
      const at = before?.finishedAt ?? attempt.assignedAt;
      entries.push(queued(attempt.number, at, before, attempt.notBefore));
    }
    entries.push(...story(attempt));
    before = attempt;
  }
  if (before && task.attempt > task.attempts.length) {
    entries.push(queued(task.attempt, task.queuedAt, before, task.notBefore));
  }
  if (isTerminal(task.state) && entries.at(-1)?.state !== task.state) {
    const { state, finishedAt, attempt, workerId, message } = task;
    entries.push({ state, at: finishedAt ?? task.queuedAt, attempt, workerId, message });
  }
  return entries;
}

/** @param notBefore end of the pause before it may be placed; 0 without one */
function queued(attempt: number, at: number, before: Attempt | null, notBefore: number): TimelineEntry {
  const again = before?.state === 'evicted' ? 'waits again' : 'tried again';
  const pauseMs = notBefore - at;
  const pause = pauseMs > 0 ? ` after a pause of ${Math.round(pauseMs / 100) / 10} s` : '';
  return {
    state: 'queued',
    at,
    attempt,
    workerId: null,
    message: attempt === 1 ? 'submitted' : again + pause,
  };
}

function story({ number, workerId, state, message, ...times }: Attempt): TimelineEntry[] {
  const entry = (entered: AttemptState, at: number | null, words: string | null): TimelineEntry[] =>
    at === null ? [] : [{ state: entered, at, attempt: number, workerId, message: words }];
  return [
    ...entry('assigned', times.assignedAt, null),
    ...entry('running', times.startedAt, null),
    ...(state === 'assigned' || state === 'running' ? [] : entry(state, times.finishedAt, message)),
  ];
}
