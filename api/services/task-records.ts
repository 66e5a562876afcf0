// Reading and cancelling tasks for someone: owners see theirs, admins all, and what is not yours does not exist.
// Knows nothing of HTTP.

import { AppError } from '../../shared/errors.ts';
import type { Task, TaskState } from '../../shared/model/task.ts';
import { requestCancel } from '../../shared/model/task-life.ts';
import { type Principal, usernameKey } from '../../shared/model/user.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Store, TaskPage } from '../../shared/ports/store.ts';
import type { Announcer } from './announcer.ts';

export interface TaskRecordParts {
  readonly store: Pick<Store, 'tasks' | 'users'>;
  readonly announcer: Announcer;
  readonly clock: Clock;
}

export interface TaskQuery {
  readonly states?: readonly TaskState[] | undefined;
  readonly tag?: string | undefined;
  readonly username?: string | undefined;
  readonly workerId?: string | undefined;
  readonly text?: string | undefined;
  readonly limit: number;
  readonly before?: string | undefined;
}

/** Of writers racing for one record each round has a winner, so losing so often means something is wrong. */
const MAX_RACES = 25;

export class TaskRecords {
  readonly #parts: TaskRecordParts;

  constructor(parts: TaskRecordParts) {
    this.#parts = parts;
  }

  /** @throws AppError `not_found`, also for other people's tasks: their existence is nobody's business */
  async get(by: Principal, id: string): Promise<Task> {
    const task = await this.#parts.store.tasks.get(id);
    if (!task || (task.ownerId !== by.userId && by.role !== 'admin')) {
      throw new AppError('not_found', `you have no task ${id}; GET /api/tasks lists yours`);
    }
    return task;
  }

  /** Those of the ids that exist for whoever asks, in any order. */
  async getMany(by: Principal, ids: readonly string[]): Promise<Task[]> {
    const found = await this.#parts.store.tasks.getMany([...new Set(ids)]);
    return found.filter(({ ownerId }) => ownerId === by.userId || by.role === 'admin');
  }

  /** @throws AppError `forbidden` when a user asks for someone else's */
  async list(by: Principal, query: TaskQuery): Promise<TaskPage> {
    const { tasks } = this.#parts.store;
    const ownerId = await this.#ownerAskedFor(by, query.username);
    if (ownerId === null) return { tasks: [], next: null };
    const { states, tag, workerId, text, limit, before } = query;
    return tasks.list({ ownerId, states, tag, workerId, text }, { limit, before });
  }

  /**
   * Asks the task to stop. The record as it stands after that: `cancelled` when it waited, else with the wish.
   * @throws AppError `conflict` when it has ended
   */
  async cancel(by: Principal, id: string, force: boolean): Promise<Task> {
    const { store, announcer, clock } = this.#parts;
    for (let race = 0; race < MAX_RACES; race += 1) {
      const task = await this.get(by, id);
      const asked = task.cancel !== null && (task.cancel.force || !force);
      if (asked && task.finishedAt === null) {
        announcer.cancelRequested(task);
        return task;
      }
      const step = requestCancel(task, { force, requestedBy: by.username, now: clock.now() });
      if (!step.ok) throw new AppError('conflict', `the task has ended already: it is ${task.state}`);
      if (await store.tasks.commit(step.task)) {
        announcer.cancelRequested(step.task);
        return step.task;
      }
    }
    throw new AppError('conflict', 'the task changes too fast to be cancelled; try again', {
      retryable: true,
    });
  }

  /** Undefined: everyone's. Null: of a name that nobody has. */
  async #ownerAskedFor(by: Principal, username: string | undefined): Promise<string | null | undefined> {
    if (username === undefined) return by.role === 'admin' ? undefined : by.userId;
    if (usernameKey(username) === usernameKey(by.username)) return by.userId;
    if (by.role !== 'admin') {
      throw new AppError('forbidden', `only an admin may list the tasks of ${username}`);
    }
    return (await this.#parts.store.users.findByUsername(username))?.id ?? null;
  }
}
