import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { type Client, ConnectionError } from '../../../client/client.ts';
import { idOf, summary } from '../../../test/support/task-rows.ts';
import { cancelMany, cancelWords, retryMany } from './bulk.ts';
import { Selection } from './selection.ts';
import { TaskRows } from './task-rows.ts';

function rowsOf(count: number): TaskRows {
  const rows = new TaskRows();
  rows.takeTop({ tasks: Array.from({ length: count }, (_, n) => summary(count - n)), next_cursor: null });
  return rows;
}

describe('a selection', () => {
  it('extends from the row that was stood on last without it, in both directions', () => {
    const rows = rowsOf(5);
    const chosen = () => [...selection.ids].map((id) => rows.indexOf(id)).sort();
    const selection = new Selection();
    selection.move(rows, 2);
    expect(chosen()).toEqual([]);
    selection.move(rows, 4, true);
    expect(chosen()).toEqual([2, 3, 4]);
    expect(selection.move(rows, -3, true)).toBe(0);
    expect(chosen()).toEqual([0, 1, 2]);
    selection.toggle(idOf(4));
    expect(chosen()).toEqual([0, 2]);
    selection.all(rows);
    expect(selection.size).toBe(5);
    selection.clear();
    expect(selection.size).toBe(0);
  });

  it('never holds what is not there, and its row stays within the list', () => {
    const step = fc.record({
      to: fc.integer({ min: -5, max: 15 }),
      extend: fc.boolean(),
      drop: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10 }), fc.array(step, { maxLength: 20 }), (count, steps) => {
        let rows = rowsOf(count);
        const selection = new Selection();
        for (const { to, extend, drop } of steps) {
          const index = selection.move(rows, to, extend);
          expect(index).toBe(rows.count === 0 ? -1 : Math.max(0, Math.min(rows.count - 1, to)));
          if (extend && index >= 0) expect(selection.ids.has(rows.at(index)?.task_id ?? '')).toBe(true);
          if (drop) rows = rowsOf(Math.max(0, rows.count - 1));
          selection.retain((id) => rows.has(id));
          for (const id of selection.ids) expect(rows.has(id)).toBe(true);
          if (selection.active !== null) expect(rows.has(selection.active)).toBe(true);
        }
      }),
    );
  });
});

describe('many at once', () => {
  const task = (task_id: string, status: string, cancel_requested = true) => ({
    task_id,
    status,
    cancel_requested,
  });

  it('are cancelled a thousand a call, and told in words', async () => {
    const ids = Array.from({ length: 2_500 }, (_, n) => idOf(n));
    const cancelTasks = vi.fn(async (some: readonly string[]) => ({
      tasks: some.map((id, n) =>
        n === 0 ? task(id, 'completed', false) : task(id, n % 2 ? 'cancelled' : 'running'),
      ),
      unknown: [] as string[],
    }));
    const done: number[] = [];
    const progress = {
      signal: new AbortController().signal,
      onDone: (n: number) => done.push(n),
      onAnswer: () => {},
    };
    const sum = await cancelMany({ cancelTasks } as unknown as Client, ids, true, progress);
    expect(cancelTasks.mock.calls.map(([some]) => some.length)).toEqual([1_000, 1_000, 500]);
    expect(done).toEqual([1_000, 2_000, 2_500]);
    expect(cancelWords(sum, 20)).toBe('1,250 cancelled, 1,247 being stopped, 23 had ended already');
    expect(cancelWords({ cancelled: 0, stopping: 0, ended: 0, refused: 0 })).toBe('Nothing was cancelled');
  });

  it('are asked for once more where the answer was lost, under the same key', async () => {
    const asked: unknown[] = [];
    const retryTask = async (id: string, options: unknown) => {
      asked.push([id, options]);
      if (asked.length === 1) throw new ConnectionError('http://api', 'timed_out', 'no answer');
      return summary(0) as never;
    };
    const options = { signal: new AbortController().signal, onDone: () => {} };
    const sum = await retryMany({ retryTask }, [idOf(1)], options);
    expect(sum).toEqual({ submitted: 1, refused: 0, fault: null });
    expect(asked).toEqual([asked[0], asked[0]]);
    expect(asked[0]).toEqual([idOf(1), { idempotencyKey: expect.stringMatching(/^[0-9a-f]{32}$/) }]);
  });

  it('are run again a few at a time, and stop when told to', async () => {
    let [now, most] = [0, 0];
    const run = new AbortController();
    const retryTask = async (id: string) => {
      now += 1;
      most = Math.max(most, now);
      await Promise.resolve();
      now -= 1;
      if (id === idOf(3)) throw new Error('over the quota');
      return summary(0) as never;
    };
    const ids = Array.from({ length: 100 }, (_, n) => idOf(n));
    const onDone = (done: number) => void (done === 50 && run.abort());
    const sum = await retryMany({ retryTask }, ids, { signal: run.signal, onDone });
    expect(most).toBeLessThanOrEqual(6);
    expect(sum.refused).toBe(1);
    expect(sum.fault?.message).toBe('over the quota');
    expect(sum.submitted + sum.refused).toBeGreaterThanOrEqual(50);
    expect(sum.submitted + sum.refused).toBeLessThan(60);
  });
});
