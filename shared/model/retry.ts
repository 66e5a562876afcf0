// Whether and when a task is tried again, and until when one may wait. Pure.
// A task's own failure costs one of its retries; a platform fault costs none but is capped.

import type { FailureReason, RetryReason, Task } from './task.ts';

/** What a task is tried again after unless it says otherwise: a missing image or a command that cannot start will not mend itself. */
export const DEFAULT_RETRY_ON: readonly RetryReason[] = [
  'exit_code',
  'oom_killed',
  'timed_out',
  'output_error',
];
/** Not the task's fault: placed again without cost. */
export const PLATFORM_REASONS = [
  'runtime_error',
  'disk_full',
  'worker_lost',
] as const satisfies readonly FailureReason[];

/** Lost attempts after which the platform gives up, unless the cluster sets another number: a task that takes its workers down must not visit all. */
export const DEFAULT_MAX_LOSSES = 5;
/** Mean-to-be of the first delay, in seconds, unless the task says otherwise. */
export const DEFAULT_RETRY_DELAY_SECONDS = 1;
/** Where delays stop growing; a task that asks for a longer one from the start keeps that. */
export const RETRY_CAP_MS = 300_000;

export type RetryDecision =
  | {
      readonly retry: false /** In words, when the task might have been expected to be tried again; else null. */;
      readonly why: string | null;
    }
  | { readonly retry: true; readonly delayMs: number; readonly cause: 'own' | 'platform' };

/** How an attempt failed, as far as it matters here. */
export interface Failure {
  readonly reason: FailureReason;
  readonly exitCode: number | null;
}

/**
 * Exponential back-off with jitter: delay = random(0.5, 1) × min(max(cap, base), base × 2^n).
 * Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015 ("equal jitter": with a floor of
 * one half, so that a retry is never immediate unless a base of 0 asks for that).
 *
 * @param dice a number in [0, 1) drawn by the caller
 */
export function backoffMs(
  failuresBefore: number,
  dice: number,
  baseMs = DEFAULT_RETRY_DELAY_SECONDS * 1_000,
): number {
  const full = Math.min(Math.max(RETRY_CAP_MS, baseMs), baseMs * 2 ** Math.min(failuresBefore, 30));
  return Math.round(full * (0.5 + dice / 2));
}

/** @param dice a number in [0, 1) drawn by the caller */
export function decideRetry(task: Task, failure: Failure, dice: number): RetryDecision {
  if (task.cancel) return { retry: false, why: null };
  const { reason } = failure;
  if (isPlatform(reason)) return retryOfPlatform(task, reason, dice);
  const { maxRetries, retryDelaySeconds } = task.spec;
  if (maxRetries === 0) return { retry: false, why: null };
  const unwanted = whyUnwanted(task, failure);
  if (unwanted !== null) return { retry: false, why: unwanted };
  if (task.failures >= maxRetries) return { retry: false, why: null };
  return { retry: true, delayMs: backoffMs(task.failures, dice, retryDelaySeconds * 1_000), cause: 'own' };
}

export function isPlatform(reason: FailureReason): boolean {
  return (PLATFORM_REASONS as readonly FailureReason[]).includes(reason);
}

function retryOfPlatform(task: Task, reason: FailureReason, dice: number): RetryDecision {
  const { losses } = task;
  if (losses >= task.spec.maxLosses) {
    const times = losses === 0 ? 'once' : `${losses + 1} times`;
    return { retry: false, why: `given up: faults of workers have lost it ${times}` };
  }
  // A lost worker is gone from the next plan, so the task may go at once; a sick one gets time to say so. One that was
  // lost before goes slower: it may be what takes the workers down.
  if (reason === 'worker_lost' && losses === 0) return { retry: true, delayMs: 0, cause: 'platform' };
  const before = reason === 'worker_lost' ? losses - 1 : losses;
  return { retry: true, delayMs: backoffMs(before, dice), cause: 'platform' };
}

/** Why the task did not want this failure tried again, in words; null when it did. */
function whyUnwanted({ spec }: Task, { reason, exitCode }: Failure): string | null {
  const { retryOn, retryOnExitCodes } = spec;
  if (!(retryOn as readonly FailureReason[]).includes(reason))
    return `not tried again: "retry_on" does not name ${reason}`;
  if (reason !== 'exit_code' || retryOnExitCodes.length === 0) return null;
  if (exitCode !== null && retryOnExitCodes.includes(exitCode)) return null;
  return `not tried again: "retry_on_exit_codes" does not name it`;
}

/**
 * When a queued task has waited for too long; null when it may wait for ever. Each wait counts for itself, from the
 * moment the task could have been placed: what it waited before a retry, a loss or an eviction does not count, nor
 * does the pause before a retry.
 */
export function queueExpiresAt(task: {
  readonly queuedAt: number;
  readonly notBefore: number;
  readonly queueTimeoutSeconds: number;
}): number | null {
  const { queuedAt, notBefore, queueTimeoutSeconds } = task;
  return queueTimeoutSeconds === 0 ? null : Math.max(queuedAt, notBefore) + queueTimeoutSeconds * 1_000;
}

/** The same of a record; null also when it does not wait. */
export function waitExpiresAt({
  state,
  queuedAt,
  notBefore,
  spec,
}: Pick<Task, 'state' | 'queuedAt' | 'notBefore' | 'spec'>): number | null {
  if (state !== 'queued') return null;
  return queueExpiresAt({ queuedAt, notBefore, queueTimeoutSeconds: spec.queueTimeoutSeconds });
}
