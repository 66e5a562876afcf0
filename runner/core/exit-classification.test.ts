import { describe, expect, it } from 'vitest';
import { AppError } from '../../shared/errors.ts';
import {
  classifyExit,
  classifyFault,
  type ExitFacts,
  exitCodeWords,
  OUTPUT_IN_DOUBT_WORDS,
  vanished,
} from './exit-classification.ts';

const plain: ExitFacts = {
  stopCause: null,
  killed: false,
  cancelledBy: null,
  evictedBecause: null,
  announced: true,
  adopted: false,
  timeoutSeconds: 0,
  ranMs: 1_000,
  memoryMb: 64,
  graceSeconds: 10,
  outputFault: null,
  filesFault: null,
};
const exited = (exitCode: number | null, oomKilled = false) => ({ exitCode, oomKilled });

describe('how a container ended', () => {
  it('by itself: its exit code', () => {
    expect(classifyExit(exited(0), plain)).toEqual({ kind: 'completed', exitCode: 0, message: null });
    expect(classifyExit(exited(3), plain)).toMatchObject({
      reason: 'exit_code',
      exitCode: 3,
      message: 'exit code 3',
    });
    expect(classifyExit(exited(null), plain)).toMatchObject({ reason: 'runtime_error', exitCode: null });
  });

  it('by itself, with nobody there to see: what it printed may be missing', () => {
    const unseen = (exitCode: number) => ({ ...exited(exitCode), outputInDoubt: true });
    expect(classifyExit(unseen(0), plain)).toEqual({
      kind: 'completed',
      exitCode: 0,
      message: OUTPUT_IN_DOUBT_WORDS,
    });
    expect(classifyExit(unseen(3), plain)).toMatchObject({
      reason: 'exit_code',
      message: `exit code 3; ${OUTPUT_IN_DOUBT_WORDS}`,
    });
  });

  it('out of memory, unless the program lived on', () => {
    expect(classifyExit(exited(137, true), plain)).toMatchObject({
      reason: 'oom_killed',
      exitCode: 137,
      message: 'it went over its memory limit of 64 MB',
    });
    expect(classifyExit(exited(0, true), plain)).toMatchObject({
      kind: 'completed',
      message: expect.stringContaining('64 MB'),
    });
  });

  it('after the time limit it is timed out, whatever its code', () => {
    for (const code of [0, 1, 143]) {
      expect(
        classifyExit(exited(code), { ...plain, stopCause: 'time_limit', timeoutSeconds: 2 }),
      ).toMatchObject({
        reason: 'timed_out',
        exitCode: code,
        message: 'it ran longer than its limit of 2 s',
      });
    }
    const killed = { ...plain, stopCause: 'time_limit' as const, timeoutSeconds: 2, killed: true };
    expect(classifyExit(exited(137), killed).message).toContain('10 s of SIGTERM');
  });

  it('a limit that passed while no runner was there counts', () => {
    const late = { ...plain, timeoutSeconds: 2, ranMs: 9_000 };
    expect(classifyExit(exited(0), { ...late, adopted: true })).toMatchObject({ reason: 'timed_out' });
    expect(classifyExit(exited(0), late)).toMatchObject({ kind: 'completed' });
  });

  it('with a cancel pending: its own result stands only if it was never signalled', () => {
    const cancel = { ...plain, cancelledBy: 'alice' };
    expect(classifyExit(exited(0), cancel)).toMatchObject({ kind: 'completed' });
    expect(classifyExit(exited(1), cancel)).toMatchObject({ reason: 'exit_code' });
    expect(classifyExit(exited(0), { ...cancel, stopCause: 'cancel' })).toMatchObject({
      kind: 'cancelled',
      message: 'cancelled by alice',
    });
    expect(classifyExit(exited(0), { ...cancel, adopted: true })).toMatchObject({ kind: 'cancelled' });
    // The record never said `running`, so it cannot say `completed`.
    expect(classifyExit(exited(0), { ...cancel, announced: false })).toMatchObject({ kind: 'cancelled' });
  });

  it('with an eviction pending: its own result stands only if it was never signalled', () => {
    const wish = { ...plain, evictedBecause: 'makes room for task-2' };
    expect(classifyExit(exited(0), wish)).toMatchObject({ kind: 'completed' });
    expect(classifyExit(exited(1), wish)).toMatchObject({ reason: 'exit_code' });
    for (const code of [0, 1, 143, null]) {
      expect(classifyExit(exited(code), { ...wish, stopCause: 'evict' })).toEqual({
        kind: 'evicted',
        exitCode: code,
        message: 'makes room for task-2',
      });
    }
    expect(classifyExit(exited(137), { ...wish, stopCause: 'evict', killed: true }).message).toBe(
      'makes room for task-2; killed',
    );
    expect(classifyExit(exited(0), { ...wish, adopted: true })).toMatchObject({ kind: 'evicted' });
    expect(classifyExit(exited(143), { ...wish, stopCause: 'time_limit' })).toMatchObject({
      reason: 'timed_out',
    });
    const both = { ...wish, cancelledBy: 'alice' };
    expect(classifyExit(exited(143), { ...both, stopCause: 'evict' })).toMatchObject({
      kind: 'cancelled',
      message: 'cancelled by alice',
    });
    expect(classifyExit(exited(0), { ...both, adopted: true })).toMatchObject({ kind: 'cancelled' });
    expect(vanished(wish)).toMatchObject({ kind: 'evicted', exitCode: null });
    expect(vanished(both)).toMatchObject({ kind: 'cancelled' });
    expect(vanished(plain)).toMatchObject({ kind: 'failed', reason: 'runtime_error' });
  });

  it('on a worker that was cut off: the attempt is lost, not failed', () => {
    expect(classifyExit(exited(143), { ...plain, stopCause: 'fenced' })).toMatchObject({
      reason: 'worker_lost',
    });
  });

  it('well, but without its output', () => {
    expect(classifyExit(exited(0), { ...plain, outputFault: 'disk is full' })).toMatchObject({
      reason: 'output_error',
      message: expect.stringContaining('disk is full'),
    });
    expect(classifyExit(exited(2), { ...plain, outputFault: 'disk is full' })).toMatchObject({
      reason: 'exit_code',
    });
  });

  it('well, but without all of its files', () => {
    const filesFault = '2 files over the limit of 10 MB in all';
    expect(classifyExit(exited(0), { ...plain, filesFault })).toMatchObject({
      kind: 'failed',
      reason: 'output_error',
      exitCode: 0,
      message: expect.stringContaining(filesFault),
    });
    expect(classifyExit(exited(2), { ...plain, filesFault })).toMatchObject({ reason: 'exit_code' });
    const cancelled = { ...plain, filesFault, stopCause: 'cancel', cancelledBy: 'alice' } as const;
    expect(classifyExit(exited(143), cancelled)).toMatchObject({ kind: 'cancelled' });
  });
});

describe('words for exit codes', () => {
  it.each([
    [1, 'exit code 1'],
    [126, 'exit code 126: the command was found but cannot be executed'],
    [127, 'exit code 127: command not found'],
    [134, 'exit code 134: killed by signal 6 (SIGABRT)'],
    [137, 'exit code 137: killed by signal 9 (SIGKILL)'],
    [139, 'exit code 139: killed by signal 11 (SIGSEGV)'],
    [143, 'exit code 143: killed by signal 15 (SIGTERM)'],
    [255, 'exit code 255'],
  ])('%i', (code, words) => expect(exitCodeWords(code)).toBe(words));
});

describe('what keeps an attempt from running', () => {
  it.each([
    ['image_not_found', 'image_error'],
    ['image_pull_failed', 'image_error'],
    ['container_start_failed', 'start_error'],
    ['disk_full', 'disk_full'],
    ['runtime_unavailable', 'runtime_error'],
    ['internal', 'runtime_error'],
  ] as const)('%s is %s', (code, reason) => {
    expect(classifyFault(new AppError(code, 'what went wrong'))).toEqual({
      kind: 'failed',
      reason,
      exitCode: null,
      message: 'what went wrong',
    });
  });

  it('anything unknown is the platform’s fault', () => {
    expect(classifyFault(new TypeError('oops'))).toMatchObject({ reason: 'runtime_error', message: 'oops' });
  });
});
