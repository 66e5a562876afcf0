// A task's timeline as a sequence that only grows: each state with its number, so that who has seen some of them can go
// on with the next. Pure.

import type { FailureReason, Task } from './task.ts';
import { isTerminal } from './task-states.ts';
import { type TimelineEntry, timeline } from './timeline.ts';

export interface StateChange extends TimelineEntry {
  /** Counted from 1 without gaps. */
  readonly number: number;
  /** At an end; else null. */
  readonly reason: FailureReason | null;
  readonly exitCode: number | null;
}

const BEFORE_THE_END: ReadonlySet<string> = new Set(['queued', 'assigned', 'running']);

export function stateChanges(task: Task): StateChange[] {
  const entries = timeline(task);
  return entries.map((entry, index) => {
    const isLast = isTerminal(task.state) && index === entries.length - 1;
    const of = isLast ? task : endsAttempt(entry) ? attemptOf(task, entry.attempt) : null;
    return {
      ...entry,
      number: index + 1,
      reason: of?.reason ?? null,
      exitCode: of?.exitCode ?? null,
    };
  });
}

/** Nothing more comes of its attempt after it. */
export function endsAttempt({ state }: Pick<TimelineEntry, 'state'>): boolean {
  return !BEFORE_THE_END.has(state);
}

function attemptOf(task: Task, number: number) {
  return task.attempts.find((attempt) => attempt.number === number);
}
