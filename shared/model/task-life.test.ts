import { describe, expect, it } from 'vitest';
import { makeTask as makeTaskOf, taken } from '../../test/support/tasks.ts';
import { DEFAULT_MAX_LOSSES } from './retry.ts';
import type { Task, TaskSpec } from './task.ts';
import {
  assignTask,
  evictTask,
  finishTask,
  requestCancel,
  type Step,
  startTask,
  takeBackTask,
} from './task-life.ts';

const at = { attempt: 1, workerId: 'w1' };
const makeTask = (spec: Partial<TaskSpec> = {}, over: Partial<Task> = {}) =>
  makeTaskOf(spec, { submittedAt: 0, queuedAt: 0, ...over });
const placed = () => taken(assignTask(makeTask({ maxRetries: 1 }), { workerId: 'w1', term: 1, now: 10 }));
const started = () =>
  taken(startTask(placed(), { ...at, now: 20, containerId: 'c', imageId: null, gpuIds: [] }));
const wish = { requestedAt: 25, cause: 'preempted', message: 'makes room for task-2' } as const;
const leaving = () => taken(evictTask(started(), { ...at, ...wish }));
const gone = { kind: 'evicted', exitCode: 143, message: 'makes room for task-2' } as const;
const failure = { kind: 'failed', reason: 'exit_code', exitCode: 3, message: 'exited with 3' } as const;

describe('a task', () => {
  it('goes from queued to completed and keeps the story', () => {
    const done = taken(
      finishTask(started(), {
        ...at,
        now: 30,
        dice: 0,
        outcome: { kind: 'completed', exitCode: 0, message: null },
      }),
    );
    expect(done).toMatchObject({
      state: 'completed',
      exitCode: 0,
      revision: 4,
      finishedAt: 30,
      workerId: 'w1',
    });
    expect(done.attempts).toMatchObject([
      { number: 1, state: 'completed', assignedAt: 10, startedAt: 20, finishedAt: 30 },
    ]);
  });

  it('is tried again while retries are left, then fails', () => {
    const again = taken(finishTask(started(), { ...at, now: 30, dice: 0, outcome: failure }));
    expect(again).toMatchObject({ state: 'queued', attempt: 2, failures: 1, losses: 0, workerId: null });
    expect(again.notBefore).toBe(30 + 500);
    const second = { attempt: 2, workerId: 'w2' };
    const ran = taken(
      startTask(taken(assignTask(again, { workerId: 'w2', term: 1, now: 40 })), {
        ...second,
        now: 50,
        containerId: 'd',
        imageId: null,
        gpuIds: [],
      }),
    );
    const ended = taken(finishTask(ran, { ...second, now: 60, dice: 0, outcome: failure }));
    expect(ended).toMatchObject({ state: 'failed', reason: 'exit_code', exitCode: 3 });
    expect(ended.attempts.map((attempt) => attempt.state)).toEqual(['failed', 'failed']);
  });

  it('refuses a worker that comes back from the dead', () => {
    const lost = taken(takeBackTask(started(), { ...at, now: 30, message: 'worker w1 was lost' }));
    expect(lost).toMatchObject({ state: 'queued', attempt: 2, failures: 0, losses: 1, notBefore: 0 });
    const late = {
      ...at,
      now: 40,
      dice: 0,
      outcome: { kind: 'completed', exitCode: 0, message: null },
    } as const;
    expect(finishTask(lost, late)).toEqual({ ok: false, refusal: 'stale_attempt' });
    const elsewhere = taken(assignTask(lost, { workerId: 'w2', term: 2, now: 50 }));
    expect(finishTask(elsewhere, late)).toEqual({ ok: false, refusal: 'stale_attempt' });
  });

  it('can be cancelled in every state that has not ended', () => {
    const by = { force: false, requestedBy: 'alice', now: 99 };
    expect(taken(requestCancel(makeTask(), by)).state).toBe('cancelled');
    for (const task of [placed(), started()]) {
      const asked = taken(requestCancel(task, by));
      expect(asked.state).toBe(task.state);
      expect(asked.cancel).toEqual({ requestedAt: 99, requestedBy: 'alice', force: false });
      expect(taken(requestCancel(asked, { ...by, force: true, now: 100 })).cancel).toEqual({
        requestedAt: 99,
        requestedBy: 'alice',
        force: true,
      });
      expect(taken(takeBackTask(asked, { ...at, now: 101, message: 'lost' })).state).toBe('cancelled');
    }
    const ended = taken(requestCancel(makeTask(), by));
    expect(requestCancel(ended, by)).toEqual({ ok: false, refusal: 'ended' });
  });

  it('is not started once it is to be cancelled', () => {
    const asked = taken(requestCancel(placed(), { force: false, requestedBy: 'alice', now: 15 }));
    const start = startTask(asked, { ...at, now: 20, containerId: 'c', imageId: null, gpuIds: [] });
    expect(start).toEqual({ ok: false, refusal: 'cancel_requested' });
  });

  it('is given up after too many lost workers', () => {
    let task = makeTask();
    for (let n = 1; n <= DEFAULT_MAX_LOSSES + 1; n += 1) {
      const ref = { attempt: task.attempt, workerId: 'w1' };
      task = taken(
        takeBackTask(taken(assignTask(task, { workerId: 'w1', term: 1, now: n })), {
          ...ref,
          now: n,
          message: 'lost',
        }),
      );
    }
    expect(task).toMatchObject({ state: 'failed', reason: 'worker_lost', losses: DEFAULT_MAX_LOSSES });
  });

  it('that has not started goes back to the queue at once when it is evicted, and pays nothing', () => {
    const back = taken(evictTask(placed(), { ...at, ...wish }));
    expect(back).toMatchObject({
      state: 'queued',
      attempt: 2,
      failures: 0,
      losses: 0,
      workerId: null,
      assignedAt: null,
      queuedAt: 25,
      notBefore: 0,
      message: wish.message,
    });
    expect(back.attempts).toMatchObject([
      { number: 1, state: 'evicted', eviction: wish, startedAt: null, finishedAt: 25, reason: null },
    ]);
    const late = startTask(back, { ...at, now: 30, containerId: 'c', imageId: null, gpuIds: [] });
    expect(late).toEqual({ ok: false, refusal: 'stale_attempt' });
    const again = taken(assignTask(back, { workerId: 'w1', gpuIds: ['gpu-1'], term: 1, now: 40 }));
    expect(again.attempts[1]).toMatchObject({ number: 2, eviction: null, gpuIds: ['gpu-1'] });
  });

  it('that runs carries the wish, the first of them, until its runner has stopped it, and pays nothing', () => {
    const asked = leaving();
    expect(asked).toMatchObject({ state: 'running', attempt: 1, workerId: 'w1', revision: 4 });
    expect(asked.attempts[0]).toMatchObject({ state: 'running', eviction: wish, finishedAt: null });
    const twice = taken(
      evictTask(asked, { ...at, requestedAt: 27, cause: 'drained', message: 'its worker is drained' }),
    );
    expect(twice.attempts[0]?.eviction).toEqual(wish);
    const outputs = { files: 1, bytes: 5, note: null };
    const back = taken(finishTask(asked, { ...at, now: 30, dice: 0.9, outcome: gone, outputs }));
    expect(back).toMatchObject({
      state: 'queued',
      attempt: 2,
      failures: 0,
      losses: 0,
      workerId: null,
      startedAt: null,
      finishedAt: null,
      exitCode: null,
      queuedAt: 30,
      notBefore: 0,
    });
    expect(back.attempts).toMatchObject([
      {
        state: 'evicted',
        eviction: wish,
        startedAt: 20,
        finishedAt: 30,
        exitCode: 143,
        reason: null,
        outputs,
      },
    ]);
  });

  it('that is to leave keeps the end that it has by itself', () => {
    const report = { ...at, now: 30, dice: 0 };
    const completed = { kind: 'completed', exitCode: 0, message: null } as const;
    expect(taken(finishTask(leaving(), { ...report, outcome: completed }))).toMatchObject({
      state: 'completed',
      attempts: [{ state: 'completed', eviction: wish }],
    });
    const failed = taken(finishTask(leaving(), { ...report, outcome: failure }));
    expect(failed).toMatchObject({ state: 'queued', failures: 1, attempts: [{ state: 'failed' }] });
    const lost = taken(takeBackTask(leaving(), { ...at, now: 30, message: 'worker w1 was lost' }));
    expect(lost).toMatchObject({ state: 'queued', losses: 1, attempts: [{ state: 'lost' }] });
  });

  it('that is to leave and is cancelled does not come back', () => {
    const by = { force: false, requestedBy: 'alice', now: 27 };
    const asked = taken(requestCancel(leaving(), by));
    expect(asked.state).toBe('running');
    const end = taken(finishTask(asked, { ...at, now: 30, dice: 0, outcome: gone }));
    expect(end).toMatchObject({ state: 'cancelled', message: 'cancelled by alice', finishedAt: 30 });
    expect(end.attempts).toMatchObject([{ state: 'evicted', message: gone.message }]);
    for (const task of [placed(), started()]) {
      const cancelled = taken(requestCancel(task, by));
      expect(evictTask(cancelled, { ...at, ...wish })).toEqual({ ok: false, refusal: 'cancel_requested' });
    }
  });

  it('is evicted from the worker that has it, and given back only when that was asked for', () => {
    const refusal = (step: Step) => (step.ok ? null : step.refusal);
    for (const task of [placed(), started(), leaving()]) {
      expect(refusal(evictTask(task, { ...wish, attempt: 2, workerId: 'w1' }))).toBe('stale_attempt');
      expect(refusal(evictTask(task, { ...wish, attempt: 1, workerId: 'w2' }))).toBe('stale_attempt');
    }
    expect(refusal(evictTask(makeTask(), { ...at, ...wish }))).toBe('stale_attempt');
    const outcome = { kind: 'completed', exitCode: 0, message: null } as const;
    const ended = taken(finishTask(started(), { ...at, now: 30, dice: 0, outcome }));
    expect(refusal(evictTask(ended, { ...at, ...wish }))).toBe('ended');
    for (const task of [placed(), started()]) {
      expect(refusal(finishTask(task, { ...at, now: 30, dice: 0, outcome: gone }))).toBe('wrong_state');
    }
  });

  it('may be evicted for ever without being given up', () => {
    let task = makeTask();
    for (let n = 1; n <= 3 * DEFAULT_MAX_LOSSES; n += 1) {
      const ref = { attempt: task.attempt, workerId: 'w1' };
      task = taken(
        evictTask(taken(assignTask(task, { workerId: 'w1', term: 1, now: n })), { ...ref, ...wish }),
      );
    }
    expect(task).toMatchObject({ state: 'queued', failures: 0, losses: 0 });
  });
});
