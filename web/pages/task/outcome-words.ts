// States, reasons and deadlines of a task in words. Pure.

import { duration } from '../../../client/words.ts';
import type { AttemptBody, EvictionBody, TaskBody } from '../../../shared/contracts/http.ts';
import type { SlaBody, StartEstimateBody } from '../../../shared/contracts/queue.ts';
import { dangerOf } from '../../../shared/model/sla.ts';
import type { FailureReason, TaskState } from '../../../shared/model/task.ts';
import { isTerminal } from '../../../shared/model/task-states.ts';

const REASONS: Readonly<Record<FailureReason, string>> = {
  exit_code: 'its program ended with a fault',
  oom_killed: 'went over its memory limit',
  timed_out: 'ran longer than its time limit',
  image_error: 'the image could not be had',
  start_error: 'could not be started',
  disk_full: 'the worker ran out of disk',
  output_error: 'its output could not be kept',
  runtime_error: 'the container engine failed',
  worker_lost: 'its worker was lost',
  queue_timed_out: 'waited longer than its limit',
};

export function reasonWords(reason: FailureReason): string {
  return REASONS[reason];
}

const MADE_ROOM: Readonly<Record<EvictionBody['cause'], string>> = {
  preempted: 'to make room for a task of higher priority',
  drained: 'because its worker is being emptied',
  shut_down: 'because its worker was shut down',
  unhealthy: 'because its worker could not start it',
};

/** That an attempt has to leave its worker, or had to, and what that means for its task; null when it has not. */
export function evictionWords({ state, eviction }: Pick<AttemptBody, 'state' | 'eviction'>): string | null {
  if (!eviction) return null;
  const why = MADE_ROOM[eviction.cause];
  if (state === 'evicted') return `Stopped ${why}; it runs again and pays no retry for it.`;
  if (state === 'running' || state === 'assigned')
    return `Being stopped ${why}; it runs again and pays no retry for it.`;
  return `It was to be stopped ${why}, and ended before.`;
}

/** `GPU 0`, `GPUs 0, 1`; ids that speak for themselves alone. Empty when there are none, or nobody knows which. */
export function deviceWords(ids: readonly string[]): string {
  if (ids.length === 0) return '';
  const listed = ids.join(', ');
  if (ids.some((id) => /gpu/i.test(id))) return listed;
  return `${ids.length === 1 ? 'GPU' : 'GPUs'} ${listed}`;
}

/** Told apart in a row of tabs, where there is no colour. */
const MARKS: Readonly<Record<TaskState, string>> = {
  queued: '○',
  assigned: '◔',
  running: '●',
  completed: '✓',
  failed: '✗',
  cancelled: '–',
};

export function pageTitle({ status, name, task_id }: Pick<TaskBody, 'status' | 'name' | 'task_id'>): string {
  return `${MARKS[status]} ${status} ${name || task_id.slice(0, 12)} · CloudAI`;
}

/** `1 of 3 spent, after exit_code (75) or oom_killed, 30s before the first`. */
export function retryWords(task: TaskBody): string {
  const { max_retries, failures, retry_on, retry_on_exit_codes: codes, retry_delay_seconds } = task;
  if (max_retries === 0) return 'none';
  const spent = failures === 0 ? `up to ${max_retries}` : `${failures} of ${max_retries} spent`;
  const reasons = retry_on.map((reason) =>
    reason === 'exit_code' && codes.length > 0 ? `${reason} (${codes.join(', ')})` : reason,
  );
  const pause =
    retry_delay_seconds === 0 ? 'at once' : `${duration(retry_delay_seconds * 1_000)} before the first`;
  return `${spent}, after ${reasons.join(', ')}; ${pause}`;
}

/** "2 of 3"; a task that lost its worker may need more than it was allowed failures. */
export function attemptWords({ attempt, max_retries }: Pick<TaskBody, 'attempt' | 'max_retries'>): string {
  return attempt > max_retries + 1 ? String(attempt) : `${attempt} of ${max_retries + 1}`;
}

type Due = Pick<TaskBody, 'status' | 'started_at'> & { readonly sla?: SlaBody | undefined };

/**
 * How it does against its deadline at `now`, by the rule of the API: what it sent may be older than a tick.
 * Null when the API said nothing of a deadline.
 */
export function slaNow({ status, started_at, sla }: Due, now: number): SlaBody['state'] | null {
  if (!sla) return null;
  if (isTerminal(status)) return sla.state;
  const deadline = Date.parse(sla.deadline);
  const startedAt = started_at === null ? null : Date.parse(started_at);
  return dangerOf({ deadline, expectedMs: sla.expected_seconds * 1_000, startedAt }, now);
}

export const SLA_WORDS: Readonly<Record<SlaBody['state'], string>> = {
  safe: 'safe',
  at_risk: 'at risk',
  met: 'met',
  missed: 'missed',
};

export function deadlineWords(deadline: string, now: number): string {
  const left = Date.parse(deadline) - now;
  return left >= 0 ? `due in ${duration(left)}` : `due ${duration(-left)} ago`;
}

/** When a waiting task should start, as far as that can be said. */
export function startWords({ at, earliest, latest }: StartEstimateBody, now: number): string {
  const [middle, first, last] = [at, earliest, latest].map((iso) => Math.max(0, Date.parse(iso) - now));
  if (middle === undefined || first === undefined || last === undefined || last < 1_000)
    return 'Should start any moment';
  const span = duration(first) === duration(last) ? '' : `, between ${duration(first)} and ${duration(last)}`;
  return `Should start in about ${duration(middle)}${span}`;
}
