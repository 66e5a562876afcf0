// What is known of the tasks that are waited for: which have not ended, and how the others did. Pure.

import type { TaskStateBody } from '../../shared/contracts/http.ts';
import { isTerminal } from '../../shared/model/task-states.ts';

/** A task that ended otherwise than well. */
export type NotCompleted = Pick<
  TaskStateBody,
  'task_id' | 'name' | 'status' | 'reason' | 'message' | 'exit_code'
>;

export interface WaitSummary {
  readonly total: number;
  readonly completed: number;
  readonly failed: number;
  readonly cancelled: number;
  /** Not ended when the waiting did. */
  readonly left: number;
  readonly timed_out: boolean;
  readonly not_completed: readonly NotCompleted[];
}

/** Of thousands of messages none may be large. */
const MESSAGE_CHARS = 300;

export class Awaited {
  readonly #left = new Set<string>();
  readonly #notCompleted: NotCompleted[] = [];
  #total = 0;
  #completed = 0;
  #running = 0;

  constructor(ids: readonly string[] = []) {
    for (const id of ids) this.#left.add(id);
    this.#total = this.#left.size;
  }

  /** One more, and how far it is. */
  add(task: TaskStateBody): void {
    if (this.#left.has(task.task_id)) return;
    this.#left.add(task.task_id);
    this.#total += 1;
    this.see(task);
  }

  /** In the order in which they came. */
  get left(): ReadonlySet<string> {
    return this.#left;
  }

  get total(): number {
    return this.#total;
  }

  get notCompleted(): readonly NotCompleted[] {
    return this.#notCompleted;
  }

  /** True when it has ended by that. */
  see(task: TaskStateBody): boolean {
    if (!isTerminal(task.status) || !this.#left.delete(task.task_id)) return false;
    if (task.status === 'completed') {
      this.#completed += 1;
      return true;
    }
    const { task_id, name, status, reason, message, exit_code } = task;
    const short = message === null ? null : message.slice(0, MESSAGE_CHARS);
    this.#notCompleted.push({ task_id, name, status, reason, message: short, exit_code });
    return true;
  }

  /** How many of those left were running when they were last asked about. */
  set running(count: number) {
    this.#running = count;
  }

  /** `412 done, 3 failed, 9585 left (32 running)`. */
  progress(): string {
    const bad = this.#notCompleted.length;
    const parts = [`${this.#completed} done`, ...(bad > 0 ? [`${bad} not completed`] : [])];
    const running = this.#running > 0 ? ` (${this.#running} running)` : '';
    return `${parts.join(', ')}, ${this.#left.size} left${running}`;
  }

  summary(timedOut: boolean): WaitSummary {
    const failed = this.#notCompleted.filter(({ status }) => status === 'failed').length;
    return {
      total: this.#total,
      completed: this.#completed,
      failed,
      cancelled: this.#notCompleted.length - failed,
      left: this.#left.size,
      timed_out: timedOut,
      not_completed: this.#notCompleted,
    };
  }
}
