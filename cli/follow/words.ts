// How a task has moved, in words. Pure; text of others is made harmless here.

import { attemptEnd, duration, megabytes, runTime, trim } from '../../client/words.ts';
import type { TaskBody } from '../../shared/contracts/http.ts';
import type { TaskProgressBody, TaskUsageEvent } from '../../shared/contracts/live.ts';
import type { ExplainReply } from '../../shared/contracts/workers.ts';
import { plain } from '../table.ts';

/** `completed after 3.2s`, `failed: exited with code 3`. */
export function endInWords(task: TaskBody, now: number): string {
  const ms = runTime(task, now);
  const took = ms === null ? '' : ` after ${duration(ms)}`;
  const why = task.status === 'failed' ? `: ${plain(task.message ?? task.reason ?? 'no reason given')}` : '';
  return `${task.task_id} ${task.status === 'cancelled' ? 'was cancelled' : task.status}${took}${why}`;
}

/** Without the id. */
export function stateInWords(task: TaskBody): string {
  const { status, worker_id, attempt, cancel_requested, not_before } = task;
  const where =
    worker_id !== null && status !== 'queued'
      ? ` ${status === 'assigned' ? 'to' : 'on'} ${plain(worker_id)}`
      : '';
  const which = attempt > 1 ? ` (attempt ${attempt})` : '';
  const later = status === 'queued' && not_before !== null ? `, not before ${not_before}` : '';
  return `${status}${where}${which}${later}${cancel_requested ? ', cancel requested' : ''}`;
}

/** How the attempt before ended, when this one is a further one: `attempt 1 failed: exit code 3`; else null. */
export function lastAttemptInWords(task: TaskBody): string | null {
  const last = task.attempts.find(({ attempt }) => attempt === task.attempt - 1);
  if (!last || task.status !== 'queued') return null;
  const why = last.message ?? last.reason;
  return `attempt ${last.attempt} ${attemptEnd(last.state)}${why ? `: ${plain(why)}` : ''}`;
}

export function waitingInWords({ summary, position }: ExplainReply): string {
  return `${plain(summary)}${position === null ? '' : ` Place in the queue: ${position}.`}`;
}

/** `42% epoch 3`, `10% pulling python:3.9`; empty when nothing is known. */
export function progressInWords({ phase, percent, message }: TaskProgressBody): string {
  const doing = plain(message) || (phase === 'running' ? '' : phase);
  return [percent === null ? '' : `${trim(percent, 0)}%`, doing].filter((part) => part !== '').join(' ');
}

export function usageInWords({ cpu, memory }: TaskUsageEvent): string {
  return `${trim(cpu, 2)} cores, ${megabytes(memory)}`;
}
