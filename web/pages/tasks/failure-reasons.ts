// Why tasks failed that were pushed as failed: events do not say. Asked for soon, many at a time.

import type { Client } from '../../../client/client.ts';
import type { TaskRows } from './task-rows.ts';

const SOON_MS = 300;
const MOST = 1_000;

export class FailureReasons {
  readonly #client: () => Client;
  readonly #changed: () => void;
  readonly #wanted = new Map<string, TaskRows>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(client: () => Client, changed: () => void) {
    this.#client = client;
    this.#changed = changed;
  }

  ask(id: string, rows: TaskRows): void {
    // Beyond that they show when the list is loaded again.
    if (this.#wanted.size >= MOST) return;
    this.#wanted.set(id, rows);
    this.#timer ??= setTimeout(() => void this.#ask(), SOON_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#wanted.clear();
  }

  async #ask(): Promise<void> {
    this.#timer = undefined;
    const wanted = new Map(this.#wanted);
    this.#wanted.clear();
    try {
      const { tasks } = await this.#client().taskStates([...wanted.keys()]);
      for (const { task_id, status, reason, exit_code } of tasks) {
        const row = wanted.get(task_id)?.get(task_id);
        if (row && row.status === status) Object.assign(row, { reason, exit_code });
      }
      this.#changed();
    } catch (error) {
      // The state stands; only its reason is missing.
      console.warn(error);
    }
  }
}
