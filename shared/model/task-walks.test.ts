// A task on walks that nobody would think of: whatever happens to it, in whatever order, by whatever clock.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeTask as makeTaskOf, taken } from '../../test/support/tasks.ts';
import { FAILURE_REASONS, TASK_STATES, type Task, type TaskSpec } from './task.ts';
import {
  assignTask,
  evictTask,
  expireTask,
  finishTask,
  requestCancel,
  type Step,
  startTask,
  takeBackTask,
} from './task-life.ts';
import { canFollow, isTerminal } from './task-states.ts';

const makeTask = (spec: Partial<TaskSpec> = {}, over: Partial<Task> = {}) =>
  makeTaskOf(spec, { submittedAt: 0, queuedAt: 0, ...over });
const wish = { requestedAt: 25, cause: 'preempted', message: 'makes room for task-2' } as const;
const gone = { kind: 'evicted', exitCode: 143, message: 'makes room for task-2' } as const;
const failure = { kind: 'failed', reason: 'exit_code', exitCode: 3, message: 'exited with 3' } as const;

describe('a task', () => {
  it('never leaves the diagram, whatever happens to it in whatever order', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('assign'), workerId: fc.constantFrom('w1', 'w2') }),
      fc.record({
        kind: fc.constant('start'),
        workerId: fc.constantFrom('w1', 'w2'),
        attempt: fc.integer({ min: 1, max: 4 }),
      }),
      fc.record({
        kind: fc.constant('finish'),
        workerId: fc.constantFrom('w1', 'w2'),
        attempt: fc.integer({ min: 1, max: 4 }),
        outcome: fc.oneof(
          fc.constant({ kind: 'completed', exitCode: 0, message: null } as const),
          fc.constant({ kind: 'cancelled', exitCode: null, message: 'cancelled' } as const),
          fc.constant(gone),
          fc.constantFrom(...FAILURE_REASONS).map((reason) => ({ ...failure, reason })),
        ),
      }),
      fc.record({
        kind: fc.constant('lose'),
        workerId: fc.constantFrom('w1', 'w2'),
        attempt: fc.integer({ min: 1, max: 4 }),
      }),
      fc.record({
        kind: fc.constant('evict'),
        workerId: fc.constantFrom('w1', 'w2'),
        attempt: fc.integer({ min: 1, max: 4 }),
      }),
      fc.record({ kind: fc.constant('cancel') }),
      fc.record({ kind: fc.constant('expire') }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        let task = makeTask({ maxRetries: 2, queueTimeoutSeconds: 1 }, { submittedAt: 0, queuedAt: 0 });
        let now = 0;
        for (const one of steps) {
          now += one.kind === 'expire' ? 1_500 : 1;
          const next = apply(task, one as never, now);
          if (!next.ok) continue;
          const moved = next.task;
          if (moved.state !== task.state) expect(canFollow(task.state, moved.state)).toBe(true);
          expect(isTerminal(task.state)).toBe(false);
          expect(moved.revision).toBe(task.revision + 1);
          expect(moved.spec).toBe(task.spec);
          expect(
            moved.attempts.filter(({ state }) => state === 'assigned' || state === 'running').length,
          ).toBe(moved.state === 'assigned' || moved.state === 'running' ? 1 : 0);
          expect(new Set(moved.attempts.map(({ number }) => number)).size).toBe(moved.attempts.length);
          expect(isTerminal(moved.state)).toBe(moved.finishedAt !== null);
          const ends = moved.attempts.filter(({ state }) => state === 'failed' || state === 'lost');
          expect(moved.failures + moved.losses).toBeLessThanOrEqual(ends.length);
          const paid = moved.failures + moved.losses - task.failures - task.losses;
          const evictedNow = moved.attempts.some(
            ({ state, finishedAt }) => state === 'evicted' && finishedAt === now,
          );
          if (evictedNow) expect(paid).toBe(0);
          for (const { state, eviction } of moved.attempts) {
            if (state === 'evicted') expect(eviction).not.toBeNull();
            if (state === 'assigned') expect(eviction).toBeNull();
          }
          task = moved;
        }
      }),
      { numRuns: 500 },
    );
  });
});

type AnyStep = {
  kind: string;
  workerId: string;
  attempt: number;
  outcome: Parameters<typeof finishTask>[1]['outcome'];
};

function apply(task: Task, step: AnyStep, now: number): Step {
  const ref = { attempt: step.attempt, workerId: step.workerId, now };
  switch (step.kind) {
    case 'assign':
      return assignTask(task, { workerId: step.workerId, term: 1, now });
    case 'start':
      return startTask(task, { ...ref, containerId: 'c', imageId: null, gpuIds: [] });
    case 'finish':
      return finishTask(task, { ...ref, dice: 0.5, outcome: step.outcome });
    case 'evict':
      return evictTask(task, { ...ref, ...wish, requestedAt: now });
    case 'expire':
      return expireTask(task, { now, waitedFor: null });
    case 'lose':
      return takeBackTask(task, { ...ref, message: 'lost' });
    default:
      return requestCancel(task, { force: false, requestedBy: 'alice', now });
  }
}

describe('states', () => {
  it('end where nothing follows', () => {
    expect(TASK_STATES.filter(isTerminal)).toEqual(['completed', 'failed', 'cancelled']);
  });
});

describe('times of a record', () => {
  const moment = fc.integer({ min: 0, max: 1_000 });
  const reason = fc.constantFrom(...FAILURE_REASONS);

  it('are in order, whatever the clocks of the writers say', () => {
    fc.assert(
      fc.property(fc.array(moment, { minLength: 12, maxLength: 12 }), reason, fc.nat(3), (at, why, way) => {
        const [born = 0, ...later] = at;
        const times = later[Symbol.iterator]();
        const now = () => times.next().value ?? 0;
        let task = makeTaskOf({ maxRetries: 1 }, { submittedAt: born, queuedAt: born });
        const on = () => ({ attempt: task.attempt, workerId: 'w1' });
        const assign = () => taken(assignTask(task, { workerId: 'w1', term: 1, now: now() }));
        task = assign();
        if (way === 0) task = taken(takeBackTask(task, { ...on(), now: now(), message: 'lost' }));
        else if (way === 1) {
          const wish = { requestedAt: now(), cause: 'drained', message: 'away' } as const;
          task = taken(evictTask(task, { ...on(), ...wish }));
        } else {
          const said = { containerId: 'c', imageId: null, gpuIds: [], now: now() };
          if (way === 2) task = taken(startTask(task, { ...on(), ...said }));
          const outcome = { kind: 'failed', reason: why, exitCode: 1, message: 'no' } as const;
          task = taken(finishTask(task, { ...on(), now: now(), dice: 0, outcome }));
        }
        if (task.state === 'queued') {
          task = taken(requestCancel(task, { force: false, requestedBy: 'alice', now: now() }));
        }
        const [attempt] = task.attempts;
        const inOrder = [
          task.submittedAt,
          attempt?.assignedAt ?? 0,
          attempt?.startedAt ?? attempt?.assignedAt ?? 0,
          attempt?.finishedAt ?? 0,
          task.finishedAt ?? 0,
        ];
        expect(inOrder).toEqual([...inOrder].sort((a, b) => a - b));
      }),
    );
  });
});
