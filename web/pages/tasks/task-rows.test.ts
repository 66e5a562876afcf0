import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TaskSummaryBody } from '../../../shared/contracts/task-lists.ts';
import type { TaskState } from '../../../shared/model/task.ts';
import { eventOf, idOf, summary } from '../../../test/support/task-rows.ts';
import { TaskRows } from './task-rows.ts';
import type { ListFilter } from './task-view.ts';

const numbers = (rows: TaskRows) => rows.shown().map(({ task_id }) => Number(task_id.slice(5)));

/** The API's answer for tasks `all` (falling), after `cursor`. Rows are copies, as they come over the wire. */
function answer(all: readonly TaskSummaryBody[], limit: number, cursor: string | null = null) {
  const rest = all.filter(({ task_id }) => cursor === null || task_id < cursor);
  const tasks = rest.slice(0, limit).map((row) => ({ ...row }));
  return { tasks, next_cursor: rest.length > limit ? (tasks.at(-1)?.task_id ?? null) : null };
}

describe('loaded tasks', () => {
  it('keep older pages while the top is fresh, and drop what is gone from the top', () => {
    const rows = new TaskRows();
    rows.takeTop({ tasks: [summary(9), summary(8)], next_cursor: 'c8' });
    rows.append({ tasks: [summary(7), summary(6)], next_cursor: 'c6' });
    rows.takeTop({ tasks: [summary(10), summary(9), summary(7)], next_cursor: 'c7' });
    expect(numbers(rows)).toEqual([10, 9, 7, 6]);
    expect(rows.cursor).toBe('c6');
    expect(rows.has(idOf(8))).toBe(false);
  });

  it('end where the answer ends, and begin anew rather than hide a hole', () => {
    const rows = new TaskRows();
    expect(rows.started).toBe(false);
    rows.takeTop({ tasks: [summary(9), summary(8)], next_cursor: 'c8' });
    rows.takeTop({ tasks: [summary(20), summary(19)], next_cursor: 'c19' });
    expect(numbers(rows)).toEqual([20, 19]);
    expect(rows.cursor).toBe('c19');
    rows.takeTop({ tasks: [summary(9)], next_cursor: null });
    expect(numbers(rows)).toEqual([9]);
    rows.takeTop({ tasks: [], next_cursor: null });
    expect(rows.count).toBe(0);
  });

  it('take an event for what it says, and none that is older than what they know', () => {
    const rows = new TaskRows();
    rows.takeTop({ tasks: [summary(2), summary(1)], next_cursor: 'c' });
    expect(rows.apply(eventOf(1, { status: 'running', revision: 3, worker_id: 'w', at: 'T1' }))).toBe(
      'patched',
    );
    expect(rows.get(idOf(1))).toMatchObject({
      status: 'running',
      worker_id: 'w',
      started_at: 'T1',
      revision: 3,
    });
    expect(rows.apply(eventOf(1, { status: 'assigned', revision: 2 }))).toBe('old');
    expect(rows.apply(eventOf(1, { status: 'failed', revision: 4, at: 'T2' }))).toBe('patched');
    expect(rows.get(idOf(1))).toMatchObject({ status: 'failed', finished_at: 'T2', started_at: 'T1' });
    expect(rows.apply(eventOf(3, {}))).toBe('new');
    expect(rows.apply(eventOf(0, {}))).toBe('elsewhere');
    // An answer that was on its way when the event came.
    rows.takeTop({ tasks: [summary(2), summary(1)], next_cursor: 'c' });
    expect(rows.get(idOf(1))?.status).toBe('failed');
  });

  it('drop what fits the filter no longer, and do not take it from a page that is older', () => {
    const rows = new TaskRows({ status: ['queued'] });
    rows.takeTop({ tasks: [summary(3), summary(2)], next_cursor: 'c' });
    expect(rows.apply(eventOf(3, { status: 'assigned', revision: 2 }))).toBe('gone');
    expect(rows.apply(eventOf(1, { status: 'assigned', revision: 2 }))).toBe('elsewhere');
    expect(rows.compact()).toBe(true);
    expect(rows.compact()).toBe(false);
    rows.append({ tasks: [summary(1), summary(0)], next_cursor: null });
    rows.takeTop({ tasks: [summary(3), summary(2)], next_cursor: 'c' });
    expect(numbers(rows)).toEqual([2, 0]);
  });

  it('hide what is newer than the pin, and keep the order they were given', () => {
    const rows = new TaskRows();
    rows.takeTop({ tasks: [summary(3), summary(2), summary(1)], next_cursor: null });
    rows.pin(rows.newest);
    rows.takeTop({ tasks: [5, 4, 3, 2, 1].map((n) => summary(n)), next_cursor: null });
    expect([rows.hidden, numbers(rows), rows.indexOf(idOf(2))]).toEqual([2, [3, 2, 1], 1]);
    rows.order(rows.shown().reverse());
    expect([rows.at(0)?.task_id, rows.indexOf(idOf(3))]).toEqual([idOf(1), 2]);
    rows.takeTop({ tasks: [6, 5, 3, 1].map((n) => summary(n)), next_cursor: null });
    expect([rows.hidden, rows.count, numbers(rows)]).toEqual([2, 2, [1, 3]]);
    rows.order(null);
    rows.pin(null);
    expect(numbers(rows)).toEqual([6, 5, 3, 1]);
  });

  it('show each task once, newest first, with no gap, in its newest state, however answers and events come', () => {
    const step = fc.oneof(
      fc.record({ what: fc.constantFrom('new', 'fresh', 'more', 'late') }),
      fc.record({
        what: fc.constant('event'),
        pick: fc.nat(),
        to: fc.constantFrom<TaskState>('assigned', 'running', 'completed'),
      }),
    );
    const filters = fc.constantFrom<ListFilter>(
      {},
      { status: ['queued'] },
      { status: ['running', 'completed'] },
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 20 }),
        filters,
        fc.array(step, { maxLength: 60 }),
        (start, filter, steps) => {
          let all = Array.from({ length: start }, (_, n) => summary(start - n));
          const fits = (row: TaskSummaryBody) => !filter.status || filter.status.includes(row.status);
          const ask = (cursor: string | null = null) => answer(all.filter(fits), 5, cursor);
          const rows = new TaskRows(filter);
          rows.takeTop(ask());
          let late = ask();
          for (const one of steps) {
            if (one.what === 'new') all = [summary(all.length + 1), ...all];
            else if (one.what === 'fresh') rows.takeTop(ask());
            else if (one.what === 'more' && rows.cursor !== null) rows.append(ask(rows.cursor));
            // An answer that was made now and comes when more has happened.
            else if (one.what === 'late') [late] = [ask(), rows.takeTop(late)];
            else if ('pick' in one) {
              const row = all[one.pick % Math.max(1, all.length)];
              if (!row) continue;
              row.status = one.to;
              row.revision += 1;
              const { task_id, status, attempt, revision, worker_id } = row;
              rows.apply({ task_id, status, attempt, revision, worker_id, at: 'T' });
            }
          }
          rows.takeTop(ask());
          while (rows.cursor !== null) rows.append(ask(rows.cursor));
          // What came to fit deeper down than the top is seen by is listed anew.
          rows.takeTop(answer(all.filter(fits), 1_000));
          rows.compact();
          const told = rows.shown().map(({ task_id, status, revision }) => ({ task_id, status, revision }));
          const right = all
            .filter(fits)
            .map(({ task_id, status, revision }) => ({ task_id, status, revision }));
          expect(told).toEqual(right);
          expect(rows.loaded).toBe(right.length);
          for (const [index, { task_id }] of right.entries()) expect(rows.indexOf(task_id)).toBe(index);
        },
      ),
    );
  });
});
