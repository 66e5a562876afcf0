import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TaskSummaryBody } from '../../../shared/contracts/task-lists.ts';
import { TASK_STATES } from '../../../shared/model/task.ts';
import { summary } from '../../../test/support/task-rows.ts';
import { sortInSteps, sortValue } from './task-order.ts';
import {
  filterOf,
  isFiltered,
  NEWEST,
  orderAfterClick,
  orderOf,
  orderText,
  SORTS,
  type SortKey,
} from './task-view.ts';

function sorted(rows: readonly TaskSummaryBody[], key: SortKey, descending = false, now = 0) {
  const steps = sortInSteps(rows, { key, descending }, now);
  for (let count = 0; ; count += 1) {
    const step = steps.next();
    if (step.done) return { rows: step.value, steps: count };
  }
}

describe('the order of tasks', () => {
  it('is right for every key, keeps all of them, has those without a value last and the newest first among equals', () => {
    const row = fc.record({
      name: fc.constantFrom('', 'b', 'A', 'c'),
      status: fc.constantFrom(...TASK_STATES),
      priority: fc.integer({ min: 0, max: 9 }),
      worker_id: fc.constantFrom(null, 'w1', 'w2'),
      started_at: fc.constantFrom(null, '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:02.000Z'),
      finished_at: fc.constantFrom(null, '2026-01-01T00:00:09.000Z'),
    });
    const keys = fc.constantFrom(...(Object.keys(SORTS) as SortKey[]));
    const now = Date.parse('2026-01-01T00:01:00.000Z');
    fc.assert(
      fc.property(fc.array(row, { maxLength: 40 }), keys, fc.boolean(), (given, key, descending) => {
        const rows = given.map((over, n) => summary(n, over));
        const result = sorted(rows, key, descending, now).rows;
        expect(new Set(result)).toEqual(new Set(rows));
        for (const [n, after] of result.entries()) {
          const before = result[n - 1];
          if (!before) continue;
          const [a, b] = [sortValue(before, key, now), sortValue(after, key, now)];
          if (a === b) expect(before.task_id > after.task_id).toBe(true);
          else if (a === null) expect(b).toBeNull();
          else if (b !== null) expect(descending ? a > b : a < b).toBe(true);
        }
      }),
    );
  });

  it('of very many is found in many small steps', () => {
    const rows = Array.from({ length: 30_000 }, (_, n) => summary(n, { name: `n${(n * 7919) % 30_000}` }));
    const result = sorted(rows, 'name');
    expect(result.steps).toBeGreaterThan(10);
    const names = result.rows.map(({ name }) => name);
    expect(names).toEqual(names.toSorted((a, b) => (a < b ? -1 : 1)));
  });
});

describe('the address of the list', () => {
  it('names states, fields and an order, and takes nonsense for none', () => {
    const query = new URLSearchParams('status=running,queued,nonsense&tag=%20a%20&q=&sort=-name');
    expect(filterOf(query)).toEqual({
      status: ['queued', 'running'],
      tag: 'a',
      q: undefined,
      user: undefined,
      worker: undefined,
    });
    expect(orderOf(query)).toEqual({ key: 'name', descending: true });
    expect(orderOf(new URLSearchParams('sort=constructor'))).toEqual(NEWEST);
    expect(isFiltered(filterOf(new URLSearchParams(`status=${TASK_STATES.join(',')}`)))).toBe(false);
  });

  it('gives back each order it was made from, and nothing for the newest first', () => {
    for (const key of Object.keys(SORTS) as SortKey[])
      for (const descending of [false, true]) {
        const text = orderText({ key, descending });
        expect(orderOf(new URLSearchParams(text === null ? '' : { sort: text }))).toEqual({
          key,
          descending,
        });
      }
    expect(orderText(NEWEST)).toBeNull();
    expect(orderAfterClick(NEWEST, 'submitted')).toEqual({ key: 'submitted', descending: false });
    expect(orderAfterClick(NEWEST, 'name')).toEqual({ key: 'name', descending: false });
    expect(orderAfterClick(NEWEST, 'ran')).toEqual({ key: 'ran', descending: true });
  });
});
