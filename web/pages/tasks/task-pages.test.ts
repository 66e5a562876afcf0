import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TaskBody } from '../../../shared/contracts/http.ts';
import { makeTaskBody } from '../../../test/support/small-api.ts';
import { freshLimit, type TaskPages, withFresh, withOlder } from './task-pages.ts';

const task = (number: number, over: Partial<TaskBody> = {}): TaskBody =>
  makeTaskBody({ task_id: `task-${String(number).padStart(26, '0')}`, ...over });
const numbers = (pages: TaskPages) => pages.tasks.map(({ task_id }) => Number(task_id.slice(5)));

/** The API's answer for tasks `all` (falling), after `cursor`. */
function answer(all: readonly TaskBody[], limit: number, cursor: string | null = null) {
  const rest = all.filter(({ task_id }) => cursor === null || task_id < cursor);
  const tasks = rest.slice(0, limit);
  return { tasks, next_cursor: rest.length > limit ? (tasks.at(-1)?.task_id ?? null) : null };
}

describe('pages of tasks', () => {
  it('keep older pages while the top is fresh, and drop what is gone from the top', () => {
    const before = withOlder(withFresh(null, { tasks: [task(9), task(8)], next_cursor: 'c8' }), {
      tasks: [task(7), task(6)],
      next_cursor: 'c6',
    });
    const after = withFresh(before, { tasks: [task(10), task(9), task(7)], next_cursor: 'c7' });
    expect(numbers(after)).toEqual([10, 9, 7, 6]);
    expect(after.cursor).toBe('c6');
  });

  it('end where the answer ends', () => {
    const before = { tasks: [task(9), task(8), task(7)], cursor: 'c7' };
    expect(withFresh(before, { tasks: [task(9)], next_cursor: null })).toEqual({
      tasks: [task(9)],
      cursor: null,
    });
    expect(withFresh(before, { tasks: [], next_cursor: null })).toEqual({ tasks: [], cursor: null });
  });

  it('ask for what is shown, within bounds', () => {
    expect(freshLimit(null)).toBe(50);
    expect(freshLimit({ tasks: Array.from({ length: 120 }, (_, n) => task(n)), cursor: null })).toBe(120);
    expect(freshLimit({ tasks: Array.from({ length: 900 }, (_, n) => task(n)), cursor: null })).toBe(200);
  });

  it('show each task once, newest first, with no gap, however tasks and answers come', () => {
    const step = fc.constantFrom('new', 'fresh', 'more');
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 30 }), fc.array(step, { maxLength: 40 }), (start, steps) => {
        let all = Array.from({ length: start }, (_, n) => task(start - n));
        let pages = withFresh(null, answer(all, 5));
        for (const what of steps) {
          if (what === 'new') all = [task(all.length + 1), ...all];
          else if (what === 'fresh') pages = withFresh(pages, answer(all, 5));
          else if (pages.cursor !== null) pages = withOlder(pages, answer(all, 5, pages.cursor));
        }
        // Also after a burst of new tasks that is longer than one answer.
        pages = withFresh(pages, answer(all, 5));
        const shown = numbers(pages);
        expect(shown).toEqual(numbers({ tasks: all, cursor: null }).slice(0, shown.length));
        expect(pages.cursor === null).toBe(shown.length === all.length);
      }),
    );
  });
});
