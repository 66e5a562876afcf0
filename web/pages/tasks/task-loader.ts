// Brings pages of tasks into the rows: the top again and again, the next page when it is wanted, all of them for an
// order that needs them. Draws nothing; tells whoever listens that something has changed.

import type { Client } from '../../../client/client.ts';
import type { TaskSummaryListReply } from '../../../shared/contracts/task-lists.ts';
import { sortInSteps } from './task-order.ts';
import { TaskRows } from './task-rows.ts';
import { isNewest, type ListFilter, NEWEST, type SortOrder } from './task-view.ts';

const FIRST_PAGE = 100;
const NEXT_PAGE = 500;
const WHOLE_PAGE = 1_000;
/** What came newly and fills more pages than this makes the list begin anew. */
const TOP_PAGES = 10;
/** A frame of 60 a second, with room for drawing it. */
const STEP_MS = 8;

export type Loaded = Pick<TaskLoader, 'rows' | 'filter' | 'order' | 'stopped'>;
export type Filling = 'idle' | 'next' | 'all' | 'sorting';

export class TaskLoader {
  rows = new TaskRows();
  filter: ListFilter = {};
  order: SortOrder = NEWEST;
  filling: Filling = 'idle';
  /** Why the last page that was asked for did not come. */
  error: Error | null = null;
  /** The user has had enough of loading for an order. */
  stopped = false;
  readonly #client: () => Client;
  readonly #changed: () => void;
  #run = new AbortController();

  constructor(client: () => Client, changed: () => void) {
    this.#client = client;
    this.#changed = changed;
  }

  /** Another filter: nothing that was loaded counts. */
  restart(filter: ListFilter, order: SortOrder): void {
    this.halt();
    this.filter = filter;
    this.order = order;
    this.rows = new TaskRows(filter);
    this.error = null;
    this.stopped = false;
    this.#changed();
  }

  /** What was loaded before, as it was left; what has changed since is asked for as always. */
  resume({ rows, filter, order, stopped }: Loaded): void {
    this.halt();
    this.filter = filter;
    this.order = order;
    this.rows = rows;
    this.error = null;
    this.stopped = stopped;
    this.#changed();
  }

  /** Gives up what is under way. */
  halt(): void {
    this.#run.abort();
    this.#run = new AbortController();
    this.filling = 'idle';
  }

  stop(): void {
    this.stopped = true;
    this.halt();
    void this.#sort(this.#run.signal);
  }

  /**
   * @param deep also further down, where only news that were missed can have changed anything
   * @throws ApiError, ConnectionError
   */
  async refreshTop(signal: AbortSignal, deep: boolean): Promise<void> {
    const { rows } = this;
    const known = rows.newest;
    const tasks: TaskSummaryListReply['tasks'] = [];
    let limit = deep ? Math.min(WHOLE_PAGE, Math.max(FIRST_PAGE, rows.loaded)) : FIRST_PAGE;
    let cursor: string | null = null;
    for (let page = 0; page < TOP_PAGES; page += 1) {
      const answer = await this.#list(limit, cursor, signal);
      tasks.push(...answer.tasks);
      cursor = answer.next_cursor;
      const last = answer.tasks.at(-1)?.task_id;
      if (cursor === null || known === null || last === undefined || last <= known) break;
      limit = WHOLE_PAGE;
    }
    if (rows !== this.rows || signal.aborted) return;
    rows.takeTop({ tasks, next_cursor: cursor });
    if (!isNewest(this.order)) rows.pin(known ?? rows.newest);
    this.#changed();
  }

  /** The next page, for who has scrolled towards the end. */
  async more(): Promise<void> {
    const { rows } = this;
    if (this.filling !== 'idle' || rows.cursor === null || rows.isFull) return;
    await this.#while('next', async (signal) => {
      rows.append(await this.#list(NEXT_PAGE, rows.cursor, signal));
    });
  }

  /** Another order of the same tasks. What is missing for it is loaded first. */
  async reorder(order: SortOrder): Promise<void> {
    this.halt();
    this.order = order;
    this.stopped = false;
    if (isNewest(order)) {
      this.rows.order(null);
      this.rows.pin(null);
      this.#changed();
      return;
    }
    await this.fillAndSort();
  }

  async fillAndSort(): Promise<void> {
    if (isNewest(this.order) || this.filling !== 'idle') return;
    const { rows } = this;
    await this.#while('all', async (signal) => {
      while (rows.cursor !== null && !rows.isFull) {
        rows.append(await this.#list(WHOLE_PAGE, rows.cursor, signal));
        this.#changed();
        await breath();
        if (signal.aborted) return;
      }
      await this.#sort(signal);
    });
  }

  async #sort(signal: AbortSignal): Promise<void> {
    const { rows } = this;
    if (isNewest(this.order)) return;
    this.filling = 'sorting';
    rows.order(null);
    rows.pin(rows.newest);
    this.#changed();
    const steps = sortInSteps(rows.shown(), this.order, Date.now());
    let until = performance.now() + STEP_MS;
    for (;;) {
      const step = steps.next();
      if (step.done) {
        rows.order(step.value);
        break;
      }
      if (performance.now() < until) continue;
      await breath();
      if (signal.aborted || rows !== this.rows) return;
      until = performance.now() + STEP_MS;
    }
    this.filling = 'idle';
    this.#changed();
  }

  async #while(filling: Filling, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { signal } = this.#run;
    this.filling = filling;
    this.error = null;
    this.#changed();
    try {
      await work(signal);
    } catch (error) {
      if (!signal.aborted) this.error = error as Error;
    }
    if (signal.aborted) return;
    this.filling = 'idle';
    this.#changed();
  }

  #list(limit: number, cursor: string | null, signal: AbortSignal): Promise<TaskSummaryListReply> {
    const filter = { ...this.filter, limit, cursor: cursor ?? undefined };
    return this.#client().listTaskSummaries(filter, { signal });
  }
}

/** Lets the page draw and hear. */
function breath(): Promise<void> {
  return new Promise((go) => setTimeout(go));
}
