import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeTask, taken } from '../../test/support/tasks.ts';
import {
  backoffMs,
  DEFAULT_RETRY_ON,
  decideRetry,
  PLATFORM_REASONS,
  queueExpiresAt,
  RETRY_CAP_MS,
} from './retry.ts';
import { FAILURE_REASONS, type FailureReason, RETRY_REASONS, type RetryReason } from './task.ts';
import { assignTask, expireTask, finishTask, requestCancel, takeBackTask } from './task-life.ts';

const dice = fc.double({ min: 0, max: 0.999, noNaN: true });
const wishes = fc.record({
  maxRetries: fc.nat(4),
  retryOn: fc.subarray([...RETRY_REASONS], { minLength: 1 }),
  retryOnExitCodes: fc.subarray([1, 2, 75]),
  retryDelaySeconds: fc.constantFrom(0, 1, 30, 7_200),
  maxLosses: fc.nat(6),
});
const failure = fc.record({
  reason: fc.constantFrom(...FAILURE_REASONS),
  exitCode: fc.option(fc.constantFrom(1, 2, 75, 137)),
});
const isOneOf = (all: readonly FailureReason[], reason: FailureReason) => all.includes(reason);

describe('the pause before a retry', () => {
  it('doubles up to the cap, with at least half of it left by the jitter', () => {
    fc.assert(
      fc.property(fc.nat(200), dice, fc.integer({ min: 1, max: 86_400 }), (failures, chance, seconds) => {
        const base = seconds * 1_000;
        const delay = backoffMs(failures, chance, base);
        const full = Math.min(Math.max(RETRY_CAP_MS, base), base * 2 ** Math.min(failures, 40));
        expect(delay).toBeGreaterThanOrEqual(Math.floor(full / 2));
        expect(delay).toBeLessThanOrEqual(full);
        expect(backoffMs(failures + 1, chance, base)).toBeGreaterThanOrEqual(delay);
      }),
    );
    expect(backoffMs(3, 0)).toBe(4_000);
    expect(backoffMs(99, 0.5, 0)).toBe(0);
  });
});

describe('the decision to try again', () => {
  it('keeps to what the task asked for, whatever failed and however often', () => {
    fc.assert(
      fc.property(wishes, failure, fc.nat(6), fc.nat(8), dice, (spec, failed, failures, losses, chance) => {
        const task = makeTask(spec, { failures, losses });
        const made = decideRetry(task, failed, chance);
        if (isOneOf(PLATFORM_REASONS, failed.reason)) {
          expect(made.retry).toBe(losses < spec.maxLosses);
          if (made.retry) expect(made.cause).toBe('platform');
          else expect(made.why).toContain(losses === 0 ? 'once' : `${losses + 1} times`);
          return;
        }
        const isNamed = isOneOf(spec.retryOn, failed.reason);
        const isOfCode =
          failed.reason !== 'exit_code' ||
          spec.retryOnExitCodes.length === 0 ||
          (failed.exitCode !== null && spec.retryOnExitCodes.includes(failed.exitCode));
        expect(made.retry).toBe(isNamed && isOfCode && failures < spec.maxRetries);
        if (made.retry) {
          expect(made).toEqual({
            retry: true,
            cause: 'own',
            delayMs: backoffMs(failures, chance, spec.retryDelaySeconds * 1_000),
          });
        } else {
          // It says why where somebody might have expected a retry.
          expect(made.why !== null).toBe(spec.maxRetries > 0 && !(isNamed && isOfCode));
        }
      }),
      { numRuns: 1_000 },
    );
  });

  it('is never to try again once the task is to be cancelled', () => {
    fc.assert(
      fc.property(wishes, failure, dice, (spec, failed, chance) => {
        const cancel = { requestedAt: 1, requestedBy: 'alice', force: false };
        expect(decideRetry(makeTask(spec, { cancel }), failed, chance).retry).toBe(false);
      }),
    );
  });

  it('lets a lost task go at once the first time, then slower and slower', () => {
    const pauses = [0, 1, 2, 3, 4].map((losses) => {
      const made = decideRetry(makeTask({}, { losses }), { reason: 'worker_lost', exitCode: null }, 0);
      return made.retry ? made.delayMs : null;
    });
    expect(pauses).toEqual([0, 500, 1_000, 2_000, 4_000]);
  });

  it('ends every life: each failure costs one of two numbers that are bounded', () => {
    fc.assert(
      fc.property(
        wishes,
        fc.array(failure, { minLength: 12, maxLength: 12 }),
        dice,
        (spec, failed, chance) => {
          let task = makeTask(spec);
          for (const { reason, exitCode } of failed) {
            task = taken(assignTask(task, { workerId: 'w1', term: 1, now: 5 }));
            const ref = { attempt: task.attempt, workerId: 'w1', now: 10, dice: chance };
            task =
              reason === 'worker_lost'
                ? taken(takeBackTask(task, { ...ref, message: 'worker w1 was lost' }))
                : taken(
                    finishTask(task, { ...ref, outcome: { kind: 'failed', reason, exitCode, message: 'x' } }),
                  );
            if (task.state === 'failed') break;
          }
          expect(task.state).toBe('failed');
          expect(task.attempts.length).toBe(task.failures + task.losses + 1);
          expect(task.failures).toBeLessThanOrEqual(spec.maxRetries);
          expect(task.losses).toBeLessThanOrEqual(spec.maxLosses);
        },
      ),
      { numRuns: 500 },
    );
  });

  it('says what was wanted and what is next', () => {
    const fail = (spec: { retryOn?: readonly RetryReason[]; retryOnExitCodes?: readonly number[] }) => {
      const task = taken(
        assignTask(makeTask({ maxRetries: 2, ...spec }, { queuedAt: 0 }), {
          workerId: 'w1',
          term: 1,
          now: 5,
        }),
      );
      const outcome = { kind: 'failed', reason: 'exit_code', exitCode: 3, message: 'exited with 3' } as const;
      return taken(finishTask(task, { attempt: 1, workerId: 'w1', now: 10, dice: 0, outcome }));
    };
    expect(fail({ retryOn: DEFAULT_RETRY_ON })).toMatchObject({
      state: 'queued',
      notBefore: 510,
      message: 'attempt 1 failed (exited with 3); it is tried again, retry 1 of 2',
    });
    expect(fail({ retryOn: ['timed_out'] })).toMatchObject({
      state: 'failed',
      message: 'exited with 3; not tried again: "retry_on" does not name exit_code',
    });
    expect(fail({ retryOnExitCodes: [75] })).toMatchObject({
      state: 'failed',
      message: 'exited with 3; not tried again: "retry_on_exit_codes" does not name it',
    });
  });
});

describe('the end of a wait', () => {
  const limit = fc.integer({ min: 1, max: 1_000 });

  it('is counted from when the task could have been placed', () => {
    fc.assert(
      fc.property(fc.nat(10_000), fc.option(fc.nat(10_000)), limit, (queuedAt, pause, seconds) => {
        const notBefore = pause === null ? 0 : queuedAt + pause;
        const at = queueExpiresAt({ queuedAt, notBefore, queueTimeoutSeconds: seconds });
        expect(at).toBe(queuedAt + (pause ?? 0) + seconds * 1_000);
        expect(queueExpiresAt({ queuedAt, notBefore, queueTimeoutSeconds: 0 })).toBeNull();
      }),
    );
  });

  it('is never early, and only of what is queued', () => {
    fc.assert(
      fc.property(limit, fc.integer({ min: -2_000, max: 2_000 }), (queueTimeoutSeconds, beyond) => {
        const task = makeTask({ queueTimeoutSeconds }, { queuedAt: 1_000, notBefore: 3_000 });
        const now = 3_000 + queueTimeoutSeconds * 1_000 + beyond;
        const step = expireTask(task, { now, waitedFor: 'no worker had room for it' });
        expect(step.ok).toBe(beyond >= 0);
        if (!step.ok) {
          expect(step.refusal).toBe('not_due');
          return;
        }
        const { state, reason, finishedAt, attempts, failures, losses, revision } = step.task;
        expect({ state, reason, finishedAt }).toEqual({
          state: 'failed',
          reason: 'queue_timed_out',
          finishedAt: now,
        });
        expect({ attempts, failures, losses, revision }).toEqual({
          attempts: [],
          failures: 0,
          losses: 0,
          revision: 2,
        });
        expect(step.task.message).toBe(
          `waited ${Math.round(queueTimeoutSeconds + beyond / 1_000)} s in the queue, and its limit is ` +
            `${queueTimeoutSeconds} s: no worker had room for it`,
        );
      }),
    );
  });

  it('meets neither what was placed nor what has ended', () => {
    const late = { now: 1e12, waitedFor: null };
    const waits = makeTask({ queueTimeoutSeconds: 1 }, { queuedAt: 1_000 });
    const placed = taken(assignTask(waits, { workerId: 'w1', term: 1, now: 1_500 }));
    expect(expireTask(placed, late)).toEqual({ ok: false, refusal: 'wrong_state' });
    const gone = taken(requestCancel(waits, { force: false, requestedBy: 'alice', now: 1_500 }));
    expect(expireTask(gone, late)).toEqual({ ok: false, refusal: 'ended' });
    expect(expireTask(makeTask(), late)).toEqual({ ok: false, refusal: 'not_due' });
  });

  it('begins anew with each wait: what ran, was lost or had to leave is not given up for an earlier one', () => {
    const waits = makeTask({ queueTimeoutSeconds: 10 }, { queuedAt: 0 });
    const placed = taken(assignTask(waits, { workerId: 'w1', term: 1, now: 9_000 }));
    const lost = taken(takeBackTask(placed, { attempt: 1, workerId: 'w1', now: 9_500, message: 'lost' }));
    expect(expireTask(lost, { now: 19_499, waitedFor: null })).toEqual({ ok: false, refusal: 'not_due' });
    expect(taken(expireTask(lost, { now: 19_500, waitedFor: null }))).toMatchObject({
      message: 'waited 10 s in the queue before attempt 2, and its limit is 10 s',
      attempts: [{ state: 'lost' }],
    });
  });
});
