import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeTask } from '../../test/support/tasks.ts';
import type { Task } from './task.ts';
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
import { isTerminal } from './task-states.ts';
import { type TimelineEntry, timeline } from './timeline.ts';

type Act =
  | 'assign'
  | 'start'
  | 'complete'
  | 'fail'
  | 'end-cancelled'
  | 'lose'
  | 'evict'
  | 'leave'
  | 'cancel'
  | 'expire';
const often = (weight: number, ...all: Act[]) => ({ weight, arbitrary: fc.constantFrom(...all) });
/** Mostly what lets a life go on. */
const acts = fc.array(
  fc.oneof(
    often(8, 'assign'),
    often(6, 'start'),
    often(6, 'fail', 'lose', 'evict'),
    often(6, 'leave'),
    often(1, 'complete', 'cancel', 'end-cancelled', 'expire'),
  ),
  { maxLength: 60, size: 'max' },
);

const shown = (entries: readonly TimelineEntry[]) =>
  entries.map(({ state, attempt }) => `${state} ${attempt}`);

/** Lives through the acts that are legal, and writes down what it sees. */
function live(chosen: readonly Act[], maxRetries: number): { task: Task; seen: string[]; times: number[] } {
  const start = 1_000;
  let task = makeTask({ maxRetries, queueTimeoutSeconds: 1 }, { submittedAt: start, queuedAt: start });
  const seen = ['queued 1'];
  const times = [start];
  let now = start;
  for (const act of chosen) {
    now += act === 'expire' ? 3_000 : 10;
    const before = task;
    const step = perform(task, act, now);
    if (!step.ok) continue;
    task = step.task;
    const note = (state: string, attempt: number) => {
      seen.push(`${state} ${attempt}`);
      times.push(now);
    };
    const ended = task.attempts.find(
      (one) => one.number === before.attempt && one.finishedAt === now && one.state !== before.state,
    );
    if (ended) note(ended.state, ended.number);
    if (task.state !== before.state && task.state !== ended?.state) note(task.state, task.attempt);
  }
  return { task, seen, times };
}

function perform(task: Task, act: Act, now: number): Step {
  const ref = { attempt: task.attempt, workerId: task.workerId ?? '', now };
  switch (act) {
    case 'assign':
      return assignTask(task, { workerId: `w${task.attempt}`, term: 1, now });
    case 'start':
      return startTask(task, { ...ref, containerId: 'c', imageId: null, gpuIds: [] });
    case 'complete':
      return finishTask(task, {
        ...ref,
        dice: 0,
        outcome: { kind: 'completed', exitCode: 0, message: null },
      });
    case 'fail':
      return finishTask(task, {
        ...ref,
        dice: 0,
        outcome: { kind: 'failed', reason: 'exit_code', exitCode: 1, message: 'exited with 1' },
      });
    case 'end-cancelled':
      return finishTask(task, {
        ...ref,
        dice: 0,
        outcome: { kind: 'cancelled', exitCode: 143, message: 'cancelled by alice' },
      });
    case 'lose':
      return takeBackTask(task, { ...ref, message: `worker ${task.workerId} was lost` });
    case 'evict':
      return evictTask(task, {
        ...ref,
        requestedAt: now,
        cause: 'drained',
        message: 'its worker is drained',
      });
    case 'leave':
      return finishTask(task, {
        ...ref,
        dice: 0,
        outcome: { kind: 'evicted', exitCode: 143, message: 'its worker is drained; killed' },
      });
    case 'expire':
      return expireTask(task, { now, waitedFor: null });
    case 'cancel':
      return requestCancel(task, { force: false, requestedBy: 'alice', now });
  }
}

describe('the timeline', () => {
  it('tells every life as it was, in order and with its times', () => {
    fc.assert(
      fc.property(acts, fc.nat(5), (chosen, maxRetries) => {
        const { task, seen, times } = live(chosen, maxRetries);
        const entries = timeline(task);
        expect(shown(entries)).toEqual(seen);
        expect(entries.map(({ at }) => at)).toEqual(times);
        expect(entries.at(-1)?.state).toBe(task.state);
      }),
      { numRuns: 500 },
    );
  });

  it('reaches ends, retries and losses in such lives', () => {
    const lives = fc.sample(fc.tuple(acts, fc.nat(5)), { numRuns: 500, seed: 7 });
    const ended = lives.map(([chosen, retries]) => live(chosen, retries).task);
    expect(ended.filter(({ state }) => isTerminal(state)).length).toBeGreaterThan(100);
    expect(ended.filter(({ attempt }) => attempt > 2).length).toBeGreaterThan(100);
    const evicted = ended.flatMap(({ attempts }) => attempts.filter(({ state }) => state === 'evicted'));
    expect(evicted.filter(({ startedAt }) => startedAt === null).length).toBeGreaterThan(100);
    expect(evicted.filter(({ startedAt }) => startedAt !== null).length).toBeGreaterThan(50);
  });

  it('tells of an eviction that the task waits again, not that it is tried again', () => {
    const { task } = live(['assign', 'evict', 'assign', 'start', 'evict', 'leave'], 0);
    const words = timeline(task).map(({ state, attempt, message }) => `${state} ${attempt}: ${message}`);
    expect(words).toEqual([
      'queued 1: submitted',
      'assigned 1: null',
      'evicted 1: its worker is drained',
      'queued 2: waits again',
      'assigned 2: null',
      'running 2: null',
      'evicted 2: its worker is drained; killed',
      'queued 3: waits again',
    ]);
  });

  it('says where, and why an attempt ended', () => {
    const { task } = live(['assign', 'start', 'fail', 'assign', 'lose', 'cancel'], 1);
    expect(timeline(task)).toMatchObject([
      { state: 'queued', attempt: 1, workerId: null, message: 'submitted' },
      { state: 'assigned', attempt: 1, workerId: 'w1', message: null },
      { state: 'running', attempt: 1, workerId: 'w1', message: null },
      { state: 'failed', attempt: 1, workerId: 'w1', message: 'exited with 1' },
      { state: 'queued', attempt: 2, workerId: null, message: 'tried again after a pause of 0.5 s' },
      { state: 'assigned', attempt: 2, workerId: 'w2', message: null },
      { state: 'lost', attempt: 2, workerId: 'w2', message: 'worker w2 was lost' },
      { state: 'queued', attempt: 3, workerId: null, message: 'tried again' },
      { state: 'cancelled', attempt: 3, workerId: null, message: 'cancelled by alice' },
    ]);
  });
});
