// Submits the jobs when their time comes, some of them twice, cancels those that are to be cancelled, and notes how
// each ended when that is seen first.

import { setTimeout as delay } from 'node:timers/promises';
import type { TaskBody, TaskListReply, TaskStatesReply } from '../../shared/contracts/http.ts';
import { isTerminal } from '../../shared/model/task-states.ts';
import type { Door } from './door.ts';
import type { JobEvidence } from './evidence.ts';
import type { Job } from './jobs.ts';

/** As if the answer had been lost: every so many-th job is sent again under its key. */
const REPEAT_EVERY = 7;
const LOOK_EVERY_MS = 1_000;
const STATES_AT_ONCE = 1_000;

export class Submitter {
  readonly #door: Door;
  readonly #log: (line: string) => void;
  readonly #acceptedAs = new Map<string, Set<string>>();
  readonly #unfinished = new Set<string>();
  readonly #firstEnds = new Map<string, JobEvidence['firstEnd']>();
  readonly #under = new Set<Promise<void>>();

  constructor(door: Door, log: (line: string) => void) {
    this.#door = door;
    this.#log = log;
  }

  get accepted(): number {
    return this.#acceptedAs.size;
  }

  get unfinished(): number {
    return this.#unfinished.size;
  }

  acceptedAs(token: string): ReadonlySet<string> {
    return this.#acceptedAs.get(token) ?? new Set();
  }

  firstEnd(id: string): JobEvidence['firstEnd'] {
    return this.#firstEnds.get(id) ?? null;
  }

  /** Resolves when all have been accepted (or never were) and all cancels have been sent. */
  async submitAll(jobs: readonly Job[], signal: AbortSignal): Promise<void> {
    const start = performance.now();
    for (const [n, job] of jobs.entries()) {
      const waitMs = job.atMs - (performance.now() - start);
      if (waitMs > 1) await delay(waitMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) break;
      const sending = this.#submit(job, n % REPEAT_EVERY === 0).catch((error) =>
        this.#log(`${job.token}: ${String(error)}`),
      );
      this.#under.add(sending);
      void sending.finally(() => this.#under.delete(sending));
    }
    await Promise.all(this.#under);
  }

  /** Looks at what has not ended, until the signal comes. */
  async watch(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#look().catch((error) => this.#log(`states: ${String(error)}`));
      await delay(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
    }
  }

  /** Resolves with what has not ended by then. */
  async untilAllEnded(deadlineMs: number): Promise<readonly string[]> {
    const end = performance.now() + deadlineMs;
    while (this.#unfinished.size > 0 && performance.now() < end) await delay(LOOK_EVERY_MS / 2);
    return [...this.#unfinished];
  }

  /** All tasks there are, by their name. */
  async tasksByName(): Promise<Map<string, string[]>> {
    const found = new Map<string, string[]>();
    let cursor = '';
    do {
      const { body } = await this.#door.call<TaskListReply>(
        'GET',
        `/api/tasks?view=summary&limit=500${cursor === '' ? '' : `&cursor=${cursor}`}`,
      );
      for (const { name, task_id } of body.tasks) found.set(name, [...(found.get(name) ?? []), task_id]);
      cursor = body.next_cursor ?? '';
    } while (cursor !== '');
    return found;
  }

  async #submit(job: Job, twice: boolean): Promise<void> {
    for (let n = 0; n < (twice ? 2 : 1); n += 1) {
      const { status, body } = await this.#door.call<TaskBody>('POST', '/api/tasks', job.body, {
        headers: { 'idempotency-key': job.token },
      });
      if (status !== 201 && status !== 200) throw new Error(`refused: ${status} ${JSON.stringify(body)}`);
      const ids = this.#acceptedAs.get(job.token) ?? new Set();
      ids.add(body.task_id);
      this.#acceptedAs.set(job.token, ids);
      this.#unfinished.add(body.task_id);
    }
    if (!job.cancel) return;
    await delay(job.cancel.afterMs);
    for (const id of this.acceptedAs(job.token)) {
      const { status } = await this.#door.call('POST', `/api/tasks/${id}/cancel`, {
        force: job.cancel.force,
      });
      if (status !== 202) this.#log(`${job.token}: its cancel was answered with ${status}`);
    }
  }

  async #look(): Promise<void> {
    const ids = [...this.#unfinished];
    for (let from = 0; from < ids.length; from += STATES_AT_ONCE) {
      const { body } = await this.#door.call<TaskStatesReply>('POST', '/api/tasks/states', {
        task_ids: ids.slice(from, from + STATES_AT_ONCE),
      });
      for (const task of body.tasks ?? []) {
        if (!isTerminal(task.status)) continue;
        const { status, attempt, finished_at, exit_code } = task;
        this.#firstEnds.set(task.task_id, { status, attempt, finished_at, exit_code });
        this.#unfinished.delete(task.task_id);
      }
    }
  }
}
