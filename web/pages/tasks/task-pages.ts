// A list of tasks that grows by pages and stays fresh: the newest part is asked for again and again, older pages are
// kept as they came. Pure: answers go in, a new list comes out.

import type { TaskBody, TaskListReply } from '../../../shared/contracts/http.ts';

export interface TaskPages {
  readonly tasks: readonly TaskBody[];
  /** For the page after the last task, or null at the end. */
  readonly cursor: string | null;
}

export const PAGE = 50;
/** The most that is asked for anew each time; tasks further down keep the state they were loaded with. */
const FRESH_MAX = 200;

/** How many to ask for so that what is shown stays fresh. */
export function freshLimit(pages: TaskPages | null): number {
  return Math.min(FRESH_MAX, Math.max(PAGE, pages?.tasks.length ?? 0));
}

/** Task ids grow with time, so the list is in order of falling id. */
export function withFresh(pages: TaskPages | null, fresh: TaskListReply): TaskPages {
  const last = fresh.tasks.at(-1)?.task_id;
  // An answer without a next page is the whole list; what it does not name is gone (or no longer fits the filter).
  if (!pages || fresh.next_cursor === null || last === undefined) {
    return { tasks: fresh.tasks, cursor: fresh.next_cursor };
  }
  const known = new Set(pages.tasks.map(({ task_id }) => task_id));
  const older = pages.tasks.filter(({ task_id }) => task_id < last);
  // Nothing in common: more may have come than one answer holds. Begin anew rather than hide a hole.
  if (older.length === 0 || !fresh.tasks.some(({ task_id }) => known.has(task_id))) {
    return { tasks: fresh.tasks, cursor: fresh.next_cursor };
  }
  return { tasks: [...fresh.tasks, ...older], cursor: pages.cursor };
}

export function withOlder(pages: TaskPages, older: TaskListReply): TaskPages {
  const last = pages.tasks.at(-1)?.task_id;
  const added = last === undefined ? older.tasks : older.tasks.filter(({ task_id }) => task_id < last);
  return { tasks: [...pages.tasks, ...added], cursor: older.next_cursor };
}
