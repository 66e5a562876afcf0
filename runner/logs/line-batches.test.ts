// When batches go, by a clock that the test moves.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { AppError } from '../../shared/errors.ts';
import type { LogLine } from '../../shared/model/log-line.ts';
import { silentLog } from '../../shared/platform/log.ts';
import { LineBatches } from './line-batches.ts';

let appended: { at: number; seqs: number[] }[];
let kept: number[][];
let batches: LineBatches;
let fault: AppError | null;
/** What an append waits for. */
let gate: Promise<void>;
let seq: number;

beforeEach(() => {
  vi.useFakeTimers({ now: 0, toFake: ['setTimeout', 'clearTimeout', 'Date'] });
  [appended, kept, fault, gate, seq] = [[], [], null, Promise.resolve(), 0];
  batches = new LineBatches({
    taskId: 'task-1',
    attempt: 1,
    logs: {
      append: async (_taskId, _attempt, lines) => {
        appended.push({ at: Date.now(), seqs: lines.map((line) => line.seq) });
        await gate;
        if (fault) throw fault;
      },
      read: async () => [],
      position: async () => ({ lastSeq: 0, stdoutLines: 0, stderrLines: 0 }),
      remove: async () => undefined,
    },
    onKept: (lines) => kept.push(lines.map((line) => line.seq)),
    clock: { now: Date.now, monotonic: Date.now },
    log: silentLog(),
  });
});
afterEach(() => {
  batches.close();
  vi.useRealTimers();
});

function add(text = 'line'): void | Promise<void> {
  seq += 1;
  const line: LogLine = { seq, ts: 0, stream: 'stdout', line: text };
  batches.add(line);
  return batches.afterAdding();
}

describe('batches of lines', () => {
  it('go almost at once after silence, and ten times a second while output flows', async () => {
    await vi.advanceTimersByTimeAsync(5_000);
    for (let n = 0; n < 100; n += 1) {
      add();
      await vi.advanceTimersByTimeAsync(5);
    }
    expect(appended.map(({ at }) => at - 5_000)).toEqual([10, 110, 210, 310, 410]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(appended.map(({ at }) => at - 5_000)).toEqual([10, 110, 210, 310, 410, 510]);
    add();
    await vi.advanceTimersByTimeAsync(20);
    expect(appended.at(-1)).toEqual({ at: 6_510, seqs: [101] });
    expect(appended.flatMap(({ seqs }) => seqs)).toEqual(Array.from({ length: 101 }, (_, n) => n + 1));
  });

  it('go at once when there is much', async () => {
    add();
    await vi.advanceTimersByTimeAsync(10);
    for (let n = 0; n < 2_000; n += 1) add();
    expect(appended.map(({ seqs }) => seqs.length)).toEqual([1, 2_000]);
    await vi.advanceTimersByTimeAsync(0);
    for (let n = 0; n < 3; n += 1) add('x'.repeat(100_000));
    expect(appended.map(({ seqs }) => seqs.length)).toEqual([1, 2_000, 3]);
  });

  it('keep their pace when the store is slow', async () => {
    for (let n = 0; n < 50; n += 1) {
      gate = new Promise((done) => setTimeout(done, 20));
      add();
      await vi.advanceTimersByTimeAsync(10);
    }
    expect(appended.map(({ at }) => at)).toEqual([10, 110, 210, 310, 410]);
  });

  it('are told of only once they are kept, in order', async () => {
    fault = new AppError('store_unavailable', 'away', { retryable: true });
    add();
    await vi.advanceTimersByTimeAsync(50);
    add();
    expect(appended.length).toBeGreaterThan(0);
    expect(kept).toEqual([]);
    fault = null;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(kept).toEqual([[1], [2]]);
  });

  it('that cannot be kept for good are never told of', async () => {
    fault = new AppError('invalid_request', 'no');
    add();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(batches.fault).toBe('no');
    fault = null;
    add();
    await vi.advanceTimersByTimeAsync(1_000);
    expect(kept).toEqual([]);
  });

  it('do not wait when they are flushed', async () => {
    add();
    await vi.advanceTimersByTimeAsync(10);
    add();
    await batches.flush();
    expect(Date.now()).toBe(10);
    expect(kept).toEqual([[1], [2]]);
  });
});
