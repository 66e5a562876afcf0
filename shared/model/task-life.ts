// Every step in a task's life as a pure function: (record, what happened) → next record, or a refusal.
// The next record carries `revision + 1`; a store accepts it only if it still holds `revision`
// (compare-and-set), so two writers can never both be right. Nothing else may build a changed Task.

import type { OwnProgress } from './progress.ts';
import { decideRetry, waitExpiresAt } from './retry.ts';
import type { Attempt, Eviction, FailureReason, OutputSummary, Task, TaskSpec, TaskState } from './task.ts';
import { currentAttempt } from './task.ts';
import { canFollow, isTerminal } from './task-states.ts';
import type { AttemptUsage } from './usage.ts';
import type { UsageSeries } from './usage-series.ts';

export type Refusal =
  /** The task has ended. */
  | 'ended'
  /** The writer speaks for an attempt that is no longer the current one, or for another worker. */
  | 'stale_attempt'
  /** The step is not legal from the present state. */
  | 'wrong_state'
  /** The task was asked to stop. */
  | 'cancel_requested'
  /** Its time has not come. */
  | 'not_due';

export type Step =
  | { readonly ok: true; readonly task: Task }
  | { readonly ok: false; readonly refusal: Refusal };

export interface NewTask {
  readonly id: string;
  readonly ownerId: string;
  readonly ownerName: string;
  readonly spec: TaskSpec;
  readonly idempotencyKey: string | null;
  readonly requestHash: string | null;
  readonly now: number;
}

export function newTask(from: NewTask): Task {
  return {
    id: from.id,
    ownerId: from.ownerId,
    ownerName: from.ownerName,
    spec: from.spec,
    state: 'queued',
    revision: 1,
    attempt: 1,
    failures: 0,
    losses: 0,
    workerId: null,
    reason: null,
    exitCode: null,
    message: null,
    cancel: null,
    notBefore: 0,
    attempts: [],
    idempotencyKey: from.idempotencyKey,
    requestHash: from.requestHash,
    submittedAt: from.now,
    queuedAt: from.now,
    assignedAt: null,
    startedAt: null,
    finishedAt: null,
  };
}

/** Scheduler: give the queued task to a worker. */
export function assignTask(
  task: Task,
  to: { workerId: string; gpuIds?: readonly string[]; term: number; now: number },
): Step {
  if (task.cancel) return refuse('cancel_requested');
  if (task.state !== 'queued') return refuse(isTerminal(task.state) ? 'ended' : 'wrong_state');
  const attempt: Attempt = {
    number: task.attempt,
    state: 'assigned',
    workerId: to.workerId,
    term: to.term,
    notBefore: task.notBefore,
    assignedAt: to.now,
    startedAt: null,
    finishedAt: null,
    reason: null,
    exitCode: null,
    message: null,
    containerId: null,
    imageId: null,
    gpuIds: to.gpuIds ?? [],
    eviction: null,
    usage: null,
    usageSeries: null,
    progress: null,
    outputs: null,
  };
  return move(task, 'assigned', {
    workerId: to.workerId,
    assignedAt: to.now,
    message: null,
    attempts: [...task.attempts, attempt],
  });
}

/** Who speaks when a runner writes. */
export interface AttemptRef {
  readonly attempt: number;
  readonly workerId: string;
}

export interface StartReport extends AttemptRef {
  readonly now: number;
  readonly containerId: string;
  readonly imageId: string | null;
  readonly gpuIds: readonly string[];
}

/** Runner: the container runs. */
export function startTask(task: Task, report: StartReport): Step {
  const refusal = refuseRunner(task, report);
  if (refusal) return refuse(refusal);
  if (task.cancel) return refuse('cancel_requested');
  if (task.state !== 'assigned') return refuse('wrong_state');
  return move(task, 'running', {
    startedAt: report.now,
    attempts: changeCurrent(task, {
      state: 'running',
      startedAt: report.now,
      containerId: report.containerId,
      imageId: report.imageId,
      gpuIds: report.gpuIds,
    }),
  });
}

/** How an attempt ended, as the runner saw it. Data, not an error. */
export type AttemptOutcome =
  | { readonly kind: 'completed'; readonly exitCode: number; readonly message: string | null }
  | {
      readonly kind: 'failed';
      readonly reason: FailureReason;
      readonly exitCode: number | null;
      readonly message: string;
    }
  | { readonly kind: 'cancelled'; readonly exitCode: number | null; readonly message: string }
  /** It left its worker as the scheduler wished. */
  | { readonly kind: 'evicted'; readonly exitCode: number | null; readonly message: string };

export interface FinishReport extends AttemptRef {
  readonly now: number;
  /** A number in [0, 1) for the jitter of a retry. */
  readonly dice: number;
  readonly outcome: AttemptOutcome;
  readonly usage?: AttemptUsage | null;
  readonly usageSeries?: UsageSeries | null;
  readonly progress?: OwnProgress | null;
  readonly outputs?: OutputSummary | null;
}

/** Runner: the attempt ended. The task ends with it, or goes back to the queue when a retry is due. */
export function finishTask(task: Task, report: FinishReport): Step {
  const refusal = refuseRunner(task, report);
  if (refusal) return refuse(refusal);
  const { outcome, now, usage = null, usageSeries = null, progress = null, outputs = null } = report;
  const { message, exitCode } = outcome;
  const measured = { finishedAt: now, exitCode, message, usage, usageSeries, progress, outputs };
  if (outcome.kind === 'evicted') {
    // A runner gives back only what it was asked for.
    if (!currentAttempt(task)?.eviction) return refuse('wrong_state');
    const attempts = changeCurrent(task, { ...measured, state: 'evicted' });
    if (task.cancel) {
      const words = `cancelled by ${task.cancel.requestedBy}`;
      return move(task, 'cancelled', { finishedAt: now, exitCode, message: words, attempts });
    }
    return backToQueue(task, { now, delayMs: 0, attempts, cost: NO_COST, message: outcome.message });
  }
  if (outcome.kind !== 'failed') {
    return move(task, outcome.kind, {
      finishedAt: now,
      exitCode,
      reason: null,
      message,
      attempts: changeCurrent(task, { ...measured, state: outcome.kind }),
    });
  }
  const { reason } = outcome;
  const attempts = changeCurrent(task, { ...measured, state: 'failed', reason });
  const decision = decideRetry(task, outcome, report.dice);
  if (!decision.retry) {
    const words = withWhy(outcome.message, decision.why);
    return move(task, 'failed', { finishedAt: now, exitCode, reason, message: words, attempts });
  }
  return backToQueue(task, {
    now,
    delayMs: decision.delayMs,
    attempts,
    cost: decision.cause === 'own' ? { failures: 1, losses: 0 } : { failures: 0, losses: 1 },
    message: `attempt ${task.attempt} failed (${message}); it is tried again${countOf(task, decision.cause)}`,
  });
}

/**
 * Scheduler: the attempt is to leave its worker. One that has not started goes back to the queue here; a running one
 * carries the wish until its runner has stopped it. Costs neither a retry nor counts as a loss.
 */
export function evictTask(task: Task, report: AttemptRef & Eviction): Step {
  const refusal = refuseRunner(task, report);
  if (refusal) return refuse(refusal);
  if (task.cancel) return refuse('cancel_requested');
  const { requestedAt, cause, message } = report;
  const eviction: Eviction = currentAttempt(task)?.eviction ?? { requestedAt, cause, message };
  if (task.state === 'running') {
    return {
      ok: true,
      task: { ...task, revision: task.revision + 1, attempts: changeCurrent(task, { eviction }) },
    };
  }
  const attempts = changeCurrent(task, { eviction, state: 'evicted', finishedAt: requestedAt, message });
  return backToQueue(task, { now: requestedAt, delayMs: 0, attempts, cost: NO_COST, message });
}

/**
 * Scheduler: the worker of the attempt is gone. Costs no retry, but not for ever.
 *
 * @param report `dice`: a number in [0, 1) for the jitter of a pause
 */
export function takeBackTask(
  task: Task,
  report: AttemptRef & { now: number; message: string; dice?: number },
): Step {
  const refusal = refuseRunner(task, report);
  if (refusal) return refuse(refusal);
  const { now, message } = report;
  const attempts = changeCurrent(task, { state: 'lost', finishedAt: now, reason: 'worker_lost', message });
  if (task.cancel) return move(task, 'cancelled', { finishedAt: now, message, attempts });
  const decision = decideRetry(task, { reason: 'worker_lost', exitCode: null }, report.dice ?? 0);
  if (!decision.retry) {
    const words = withWhy(message, decision.why);
    return move(task, 'failed', { finishedAt: now, reason: 'worker_lost', message: words, attempts });
  }
  return backToQueue(task, {
    now,
    delayMs: decision.delayMs,
    attempts,
    cost: { failures: 0, losses: 1 },
    message,
  });
}

/** User: stop it. A queued task ends here; a placed one carries the wish until its runner has proof. */
export function requestCancel(task: Task, by: { force: boolean; requestedBy: string; now: number }): Step {
  if (isTerminal(task.state)) return refuse('ended');
  const cancel = {
    requestedAt: task.cancel?.requestedAt ?? by.now,
    requestedBy: task.cancel?.requestedBy ?? by.requestedBy,
    force: by.force || (task.cancel?.force ?? false),
  };
  if (task.state === 'queued') {
    return move(task, 'cancelled', { cancel, finishedAt: by.now, message: `cancelled by ${by.requestedBy}` });
  }
  return { ok: true, task: { ...task, revision: task.revision + 1, cancel } };
}

/**
 * Scheduler: the task has waited in the queue for longer than it may. Whoever places it at the same moment wins, or this
 * does; never both.
 *
 * @param waitedFor what it waited for, in words; null when that is not known
 */
export function expireTask(task: Task, report: { now: number; waitedFor: string | null }): Step {
  if (task.state !== 'queued') return refuse(isTerminal(task.state) ? 'ended' : 'wrong_state');
  const { queuedAt, notBefore, spec } = task;
  const { now, waitedFor } = report;
  const expiresAt = waitExpiresAt(task);
  if (expiresAt === null || now < expiresAt) return refuse('not_due');
  const waited = Math.round((now - Math.max(queuedAt, notBefore)) / 1_000);
  const which = task.attempt === 1 ? '' : ` before attempt ${task.attempt}`;
  const lacked = waitedFor === null ? '' : `: ${waitedFor}`;
  return move(task, 'failed', {
    finishedAt: now,
    reason: 'queue_timed_out',
    message: `waited ${waited} s in the queue${which}, and its limit is ${spec.queueTimeoutSeconds} s${lacked}`,
  });
}

const NO_COST = { failures: 0, losses: 0 };

function backToQueue(
  task: Task,
  how: {
    now: number;
    delayMs: number;
    attempts: readonly Attempt[];
    cost: { failures: number; losses: number };
    message: string;
  },
): Step {
  return move(task, 'queued', {
    attempt: task.attempt + 1,
    failures: task.failures + how.cost.failures,
    losses: task.losses + how.cost.losses,
    workerId: null,
    assignedAt: null,
    startedAt: null,
    queuedAt: how.now,
    notBefore: how.delayMs === 0 ? 0 : how.now + how.delayMs,
    message: how.message,
    attempts: how.attempts,
  });
}

function withWhy(message: string, why: string | null): string {
  return why === null ? message : `${message}; ${why}`;
}

/** Which of its retries the next one is. */
function countOf({ failures, losses, spec }: Task, cause: 'own' | 'platform'): string {
  if (cause === 'own') return `, retry ${failures + 1} of ${spec.maxRetries}`;
  return `, at no cost, ${losses + 1} of ${spec.maxLosses}`;
}

function refuseRunner(task: Task, ref: AttemptRef): Refusal | null {
  if (isTerminal(task.state)) return 'ended';
  if (task.state === 'queued' || task.attempt !== ref.attempt || task.workerId !== ref.workerId) {
    return 'stale_attempt';
  }
  return null;
}

function changeCurrent(task: Task, change: Partial<Attempt>): readonly Attempt[] {
  const current = currentAttempt(task);
  return task.attempts.map((attempt) => (attempt === current ? { ...attempt, ...change } : attempt));
}

function move(task: Task, state: TaskState, change: Partial<Task>): Step {
  if (!canFollow(task.state, state)) return refuse('wrong_state');
  return { ok: true, task: { ...task, ...change, state, revision: task.revision + 1 } };
}

function refuse(refusal: Refusal): Step {
  return { ok: false, refusal };
}
