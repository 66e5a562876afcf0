// The tasks that are loaded: a part of the list without holes, from the newest on. It grows by pages at its end, is
// refreshed at its top, and is patched by what is pushed. Rows are changed in place, so that an order made once stays
// good. No I/O, no clock.

import type { TaskEvent } from '../../../shared/contracts/live.ts';
import type { TaskSummaryBody, TaskSummaryListReply } from '../../../shared/contracts/task-lists.ts';
import { isTerminal } from '../../../shared/model/task-states.ts';
import type { ListFilter } from './task-view.ts';

/** More than anybody reads; beyond that the page would grow without end. */
export const MOST_ROWS = 100_000;
/** Events of tasks that are not loaded, kept because a page that was asked for before may bring an older state. */
const HEARD_MOST = 5_000;

/** `gone`: it fits the filter no longer. `new`: it is not loaded, but belongs to the part that is, if it fits. */
export type Applied = 'patched' | 'gone' | 'new' | 'elsewhere' | 'old';

export class TaskRows {
  readonly #filter: ListFilter;
  readonly #byId = new Map<string, TaskSummaryBody>();
  readonly #heard = new Map<string, TaskEvent>();
  /** Newest first: ids grow with time. */
  #rows: TaskSummaryBody[] = [];
  #sorted: TaskSummaryBody[] | null = null;
  #cursor: string | null = null;
  #started = false;
  #pin: string | null = null;
  #hidden = 0;
  #hasGone = false;

  constructor(filter: ListFilter = {}) {
    this.#filter = filter;
  }

  /** An answer has come. */
  get started(): boolean {
    return this.#started;
  }

  /** For the page after the last row; null when all are here. */
  get cursor(): string | null {
    return this.#cursor;
  }

  get isFull(): boolean {
    return this.#rows.length >= MOST_ROWS;
  }

  get loaded(): number {
    return this.#rows.length;
  }

  get newest(): string | null {
    return this.#rows[0]?.task_id ?? null;
  }

  /** Rows newer than the pin, which are not shown yet. */
  get hidden(): number {
    return this.#hidden;
  }

  /** How many rows are shown. */
  get count(): number {
    return this.#sorted?.length ?? this.#rows.length - this.#hidden;
  }

  at(index: number): TaskSummaryBody | undefined {
    return this.#sorted ? this.#sorted[index] : this.#rows[index + this.#hidden];
  }

  get(id: string): TaskSummaryBody | undefined {
    return this.#byId.get(id);
  }

  has(id: string): boolean {
    return this.#byId.has(id);
  }

  indexOf(id: string): number {
    const row = this.#byId.get(id);
    if (!row) return -1;
    if (this.#sorted) return this.#sorted.indexOf(row);
    return this.#firstAtOrBelow(id) - this.#hidden;
  }

  /** All that are shown, in no order that matters; a new array. */
  shown(): TaskSummaryBody[] {
    return this.#sorted ? [...this.#sorted] : this.#rows.slice(this.#hidden);
  }

  /** From now on what is newer stays hidden, or null: all is shown. */
  pin(id: string | null): void {
    this.#pin = id;
    this.#countHidden();
  }

  /** Shows rows in this order; null for the newest first. */
  order(sorted: TaskSummaryBody[] | null): void {
    this.#sorted = sorted?.filter((row) => this.#byId.get(row.task_id) === row) ?? null;
  }

  /** The page after `cursor`. */
  append({ tasks, next_cursor }: TaskSummaryListReply): void {
    const last = this.#rows.at(-1)?.task_id;
    for (const task of tasks) {
      if (last !== undefined && task.task_id >= last) continue;
      if (this.#rows.length >= MOST_ROWS) break;
      const row = this.#merge(task);
      if (row) this.#rows.push(row);
    }
    this.#cursor = next_cursor;
    this.#started = true;
  }

  /** The newest part, asked for anew. Without anything in common with what is here it takes its place. */
  takeTop({ tasks, next_cursor }: TaskSummaryListReply): void {
    const last = tasks.at(-1)?.task_id;
    const isWhole = next_cursor === null || last === undefined;
    const keepFrom = isWhole ? this.#rows.length : this.#firstAtOrBelow(last);
    // At the row itself there is something in common; before the first row there is nothing.
    const older = keepFrom === 0 && this.#rows[0]?.task_id !== last ? [] : this.#rows.slice(keepFrom);
    const isAnew = older.length === 0;
    const known = new Set(tasks.map(({ task_id }) => task_id));
    const kept = older.filter(({ task_id }) => !known.has(task_id));
    const fresh = tasks.flatMap((task) => this.#merge(task) ?? []);
    const before = this.#rows;
    this.#rows = [...fresh, ...kept].slice(0, MOST_ROWS);
    if (isAnew) this.#cursor = next_cursor;
    this.#started = true;
    this.#forgetAllBut(before);
    this.#countHidden();
  }

  /** What was pushed. Rows that went are away after `compact`. */
  apply(event: TaskEvent): Applied {
    const row = this.#byId.get(event.task_id);
    if (!row) {
      this.#hear(event);
      if (!this.#mayFit(event.status, event.worker_id)) return 'elsewhere';
      const last = this.#rows.at(-1)?.task_id;
      return last === undefined || event.task_id > last || this.#cursor === null ? 'new' : 'elsewhere';
    }
    if (event.revision <= row.revision) return 'old';
    patch(row, event);
    if (this.#mayFit(row.status, row.worker_id)) return 'patched';
    this.#hear(event);
    this.#byId.delete(row.task_id);
    this.#hasGone = true;
    return 'gone';
  }

  /** Drops rows that went; once for many, as it looks at all. True when there were some. */
  compact(): boolean {
    if (!this.#hasGone) return false;
    this.#hasGone = false;
    const isHere = (row: TaskSummaryBody) => this.#byId.get(row.task_id) === row;
    this.#rows = this.#rows.filter(isHere);
    this.#sorted = this.#sorted?.filter(isHere) ?? null;
    this.#countHidden();
    return true;
  }

  /** The row as it is to be, brought up to what was heard since; undefined when it fits no longer. */
  #merge(task: TaskSummaryBody): TaskSummaryBody | undefined {
    const known = this.#byId.get(task.task_id);
    if (known) {
      if (task.revision >= known.revision) Object.assign(known, task);
      return known;
    }
    const heard = this.#heard.get(task.task_id);
    if (heard && heard.revision > task.revision) patch(task, heard);
    if (!this.#mayFit(task.status, task.worker_id)) return undefined;
    this.#byId.set(task.task_id, task);
    return task;
  }

  #mayFit(status: TaskSummaryBody['status'], workerId: string | null): boolean {
    const { status: states, worker } = this.#filter;
    return (!states || states.includes(status)) && (worker === undefined || worker === workerId);
  }

  #hear(event: TaskEvent): void {
    const before = this.#heard.get(event.task_id);
    if (before && before.revision >= event.revision) return;
    this.#heard.delete(event.task_id);
    this.#heard.set(event.task_id, event);
    const [oldest] = this.#heard.keys();
    if (this.#heard.size > HEARD_MOST && oldest !== undefined) this.#heard.delete(oldest);
  }

  /** After `rows` was replaced: ids of `before` that are not in it. */
  #forgetAllBut(before: readonly TaskSummaryBody[]): void {
    const here = new Set(this.#rows);
    for (const row of before) {
      if (here.has(row) || this.#byId.get(row.task_id) !== row) continue;
      this.#byId.delete(row.task_id);
    }
    this.#sorted = this.#sorted?.filter((row) => here.has(row)) ?? null;
  }

  #countHidden(): void {
    this.#hidden = this.#pin === null ? 0 : this.#firstAtOrBelow(this.#pin);
  }

  /** Index of the first row whose id is `id` or smaller; ids fall. */
  #firstAtOrBelow(id: string): number {
    let [low, high] = [0, this.#rows.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#rows[middle]?.task_id ?? '') > id) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** What an event says of a row. Why a task failed it does not say: that is asked for. */
function patch(row: TaskSummaryBody, event: TaskEvent): void {
  row.revision = event.revision;
  row.worker_id = event.worker_id;
  if (event.attempt !== row.attempt || (event.status === 'queued' && row.status !== 'queued'))
    row.started_at = null;
  row.attempt = event.attempt;
  if (event.status === 'running' && row.status !== 'running') row.started_at = event.at;
  if (isTerminal(event.status)) row.finished_at = event.at;
  row.status = event.status;
}
