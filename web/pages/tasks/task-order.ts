// Puts loaded tasks in order, in steps short enough that the page stays fluent between them. Pure.

import { runTime } from '../../../client/words.ts';
import type { TaskSummaryBody } from '../../../shared/contracts/task-lists.ts';
import { TASK_STATES } from '../../../shared/model/task.ts';
import type { SortKey, SortOrder } from './task-view.ts';

type Value = string | number | null;

interface Keyed {
  readonly value: Value;
  readonly row: TaskSummaryBody;
}

/** About as many comparisons as take a few milliseconds. */
const STEP = 2_000;

/** What a task is put in order by; null for those that have none of it, which come last either way. */
export function sortValue(row: TaskSummaryBody, key: SortKey, now: number): Value {
  switch (key) {
    case 'submitted':
      return row.task_id;
    case 'name':
      return row.name === '' ? null : row.name.toLowerCase();
    case 'state':
      return TASK_STATES.indexOf(row.status);
    case 'image':
      return row.docker_image;
    case 'user':
      return row.user.toLowerCase();
    case 'worker':
      return row.worker_id;
    case 'priority':
      return row.priority;
    case 'ran':
      return ranMs(row, now);
    case 'finished':
      return row.finished_at;
  }
}

/** How long the last attempt has run, or null before it started. */
export function ranMs(row: TaskSummaryBody, now: number): number | null {
  const ms = runTime(row, now);
  // By the clocks of several machines it may end before it begins.
  return ms === null ? null : Math.max(0, ms);
}

/**
 * A merge sort that stops after each small step; what it returns at last is in order. Among equals the newest is first.
 * @param now milliseconds since the epoch, for those that still run
 */
export function* sortInSteps(
  rows: readonly TaskSummaryBody[],
  { key, descending }: SortOrder,
  now: number,
): Generator<undefined, TaskSummaryBody[]> {
  const compare = comparison(descending);
  let runs: Keyed[][] = [];
  for (let at = 0; at < rows.length; at += STEP) {
    const run = rows.slice(at, at + STEP).map((row) => ({ value: sortValue(row, key, now), row }));
    runs.push(run.sort(compare));
    yield;
  }
  while (runs.length > 1) {
    const longer: Keyed[][] = [];
    for (let n = 0; n < runs.length; n += 2) {
      const [a, b] = [runs[n], runs[n + 1]];
      if (a) longer.push(b ? yield* merged(a, b, compare) : a);
    }
    runs = longer;
  }
  return (runs[0] ?? []).map(({ row }) => row);
}

function* merged(
  a: readonly Keyed[],
  b: readonly Keyed[],
  compare: (a: Keyed, b: Keyed) => number,
): Generator<undefined, Keyed[]> {
  const out: Keyed[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    const [left, right] = [a[i], b[j]];
    if (left && (!right || compare(left, right) <= 0)) {
      out.push(left);
      i += 1;
    } else if (right) {
      out.push(right);
      j += 1;
    }
    if (out.length % STEP === 0) yield;
  }
  return out;
}

function comparison(descending: boolean): (a: Keyed, b: Keyed) => number {
  const sign = descending ? -1 : 1;
  return (a, b) => {
    if (a.value !== b.value) {
      if (a.value === null) return 1;
      if (b.value === null) return -1;
      return a.value < b.value ? -sign : sign;
    }
    if (a.row.task_id === b.row.task_id) return 0;
    return a.row.task_id < b.row.task_id ? 1 : -1;
  };
}
