import { describe, expect, it } from 'vitest';
import { makeEndedBody, makeTaskBody, TASK_ID } from '../../test/support/small-api.ts';
import { pinnedPicture } from './pinned-picture.ts';
import { exitCodeOf } from './verdict.ts';
import { endInWords, lastAttemptInWords, progressInWords, stateInWords } from './words.ts';

const now = Date.parse('2026-01-01T10:01:00.000Z');
const look = { color: false, unicode: false };
const progress = {
  task_id: TASK_ID,
  attempt: 1,
  phase: 'running' as const,
  percent: 42,
  message: 'epoch 3',
  layers: null,
  bytes: null,
  at: '2026-01-01T10:01:00.000Z',
};
const running = makeTaskBody({
  status: 'running',
  worker_id: 'worker-1',
  started_at: '2026-01-01T10:00:10.000Z',
});

describe('a task in words', () => {
  it('is told as it moves', () => {
    expect(stateInWords(makeTaskBody())).toBe('queued');
    expect(stateInWords(running)).toBe('running on worker-1');
    expect(stateInWords({ ...running, status: 'assigned', attempt: 2 })).toBe(
      'assigned to worker-1 (attempt 2)',
    );
    expect(stateInWords({ ...running, cancel_requested: true })).toContain('cancel requested');
    expect(stateInWords({ ...running, worker_id: 'a\x1b[2Jb' })).toBe('running on a [2Jb');
    expect(endInWords(makeEndedBody(), now)).toBe(`${TASK_ID} completed after 3.2s`);
  });

  it('tells how the attempt before ended, once there is another', () => {
    const [attempt] = makeEndedBody().attempts;
    const failed = {
      ...attempt!,
      state: 'failed' as const,
      reason: 'exit_code' as const,
      message: 'exited with 3',
    };
    expect(lastAttemptInWords(makeTaskBody({ attempt: 2, attempts: [failed] }))).toBe(
      'attempt 1 failed: exited with 3',
    );
    expect(
      lastAttemptInWords(
        makeTaskBody({ attempt: 2, attempts: [{ ...failed, state: 'lost', message: null }] }),
      ),
    ).toBe('attempt 1 was lost: exit_code');
    const evicted = { ...failed, state: 'evicted' as const, reason: null, message: 'makes room for task-2' };
    expect(lastAttemptInWords(makeTaskBody({ attempt: 2, attempts: [evicted] }))).toBe(
      'attempt 1 was evicted: makes room for task-2',
    );
    expect(lastAttemptInWords(running)).toBeNull();
  });

  it('tells what it does', () => {
    expect(progressInWords(progress)).toBe('42% epoch 3');
    expect(progressInWords({ ...progress, percent: null, phase: 'pulling', message: '' })).toBe('pulling');
    expect(progressInWords({ ...progress, percent: null, message: '' })).toBe('');
  });
});

describe('the exit code of a task that has ended', () => {
  it('is 0 only when it completed, and its container’s own where that is asked for', () => {
    const failed = makeEndedBody({ status: 'failed', reason: 'exit_code', exit_code: 3 });
    expect(exitCodeOf(makeEndedBody(), true)).toBe(0);
    expect(exitCodeOf(failed, false)).toBe(1);
    expect(exitCodeOf(failed, true)).toBe(3);
    expect(exitCodeOf({ ...failed, exit_code: null }, true)).toBe(1);
    // What it wrote could not be kept, though its container ended well.
    expect(exitCodeOf({ ...failed, exit_code: 0 }, true)).toBe(1);
    expect(exitCodeOf({ ...failed, status: 'cancelled', exit_code: 143 }, true)).toBe(143);
  });
});

describe('what is pinned under the output', () => {
  const pinned = { task: running, progress, usage: null, partial: '', waiting: '', lost: null };
  const usage = { task_id: TASK_ID, attempt: 1, at: '', cpu: 0.87, memory: 210 };
  const size = { columns: 80, rows: 24 };

  it('is the line being written, the state and what the task does', () => {
    expect(pinnedPicture({ ...pinned, usage, partial: 'loading…' }, size, look, now)).toBe(
      `loading…\nrunning on worker-1 for 50s  ${TASK_ID}\n########------------ 42% epoch 3  0.87 cores, 210 MB`,
    );
  });

  it('is why it waits, or that the API is away', () => {
    const queued = { ...pinned, task: makeTaskBody(), waiting: 'No worker has 4 GPUs free.' };
    expect(pinnedPicture(queued, size, look, now)).toBe(`queued  ${TASK_ID}\nNo worker has 4 GPUs free.`);
    expect(pinnedPicture({ ...pinned, lost: 'refused' }, size, look, now)).toContain(
      '\nconnection lost: refused; trying again',
    );
  });

  it('has no more lines and columns than there are', () => {
    const small = pinnedPicture(
      { ...pinned, usage, partial: 'x'.repeat(99) },
      { columns: 40, rows: 10 },
      look,
      now,
    );
    expect(small.split('\n').map((line) => line.length)).toEqual([40, 40, 39]);
    expect(small).toContain('\n###---- 42% epoch 3  ');
    expect(pinnedPicture({ ...pinned, usage }, { columns: 80, rows: 4 }, look, now).split('\n')).toHaveLength(
      1,
    );
    expect(pinnedPicture({ ...pinned, task: null }, size, look, now)).toBe('');
  });
});
