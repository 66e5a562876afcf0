// Whether and when a task is tried again. Pure.
// A task's own failure costs one of its retries; a platform fault costs none but is capped.

import type { FailureReason, Task } from './task.ts';

/** Own failures worth another try. A missing image or a command that cannot start will not mend itself. */
const RETRYABLE: ReadonlySet<FailureReason> = new Set<FailureReason>([
  'exit_code',
  'oom_killed',
  'timed_out',
  'output_error',
]);
/** Not the task's fault: placed again without cost. */
const PLATFORM: ReadonlySet<FailureReason> = new Set<FailureReason>([
  'runtime_error',
  'disk_full',
  'worker_lost',
]);

/** Lost attempts after which the platform gives up: a task that takes its workers down must not visit all. */
export const MAX_LOSSES = 5;
/** Delay before the first retry of a task's own failure. */
export const RETRY_BASE_MS = 1_000;
/** Longest delay between two attempts. */
export const RETRY_CAP_MS = 300_000;

export type RetryDecision =
  | { readonly retry: false }
  | { readonly retry: true; readonly delayMs: number; readonly cause: 'own' | 'platform' };

/**
 * Exponential back-off with full jitter: delay = random(0.5, 1) × min(cap, base × 2^n).
 * Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015 (here with a floor of
 * one half, so that a retry is never immediate).
 *
 * @param dice a number in [0, 1) drawn by the caller
 */
export function backoffMs(failuresBefore: number, dice: number): number {
  const full = Math.min(RETRY_CAP_MS, RETRY_BASE_MS * 2 ** Math.min(failuresBefore, 30));
  return Math.round(full * (0.5 + dice / 2));
}

/** @param dice a number in [0, 1) drawn by the caller */
export function decideRetry(task: Task, reason: FailureReason, dice: number): RetryDecision {
  if (task.cancel) return { retry: false };
  if (PLATFORM.has(reason)) {
    if (task.losses >= MAX_LOSSES) return { retry: false };
    // A lost worker is gone from the next plan, so the task may go at once; a sick one gets time to say so.
    const delayMs = reason === 'worker_lost' ? 0 : backoffMs(task.losses, dice);
    return { retry: true, delayMs, cause: 'platform' };
  }
  if (!RETRYABLE.has(reason) || task.failures >= task.spec.maxRetries) return { retry: false };
  return { retry: true, delayMs: backoffMs(task.failures, dice), cause: 'own' };
}
