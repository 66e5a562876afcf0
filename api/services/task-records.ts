// Reading and cancelling tasks for someone: owners see theirs, admins all, and what is not yours does not exist.
// Knows nothing of HTTP.

import type { TaskListQuery } from '../../shared/contracts/schemas.ts';
import { AppError, isAppError } from '../../shared/errors.ts';
import type { Task, TaskState } from '../../shared/model/task.ts';
import { requestCancel } from '../../shared/model/task-life.ts';
import { type Principal, seesAllTasks, usernameKey } from '../../shared/model/user.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Store } from '../../shared/ports/store.ts';
import type { TaskFilter, TaskPage, TaskSummaryPage } from '../../shared/ports/task-store.ts';
import type { Announcer } from './announcer.ts';
import { requireRight } from './rights.ts';

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

/** What a checked query asks for. */
export function wantedOf(query: TaskListQuery): TaskQuery {
  return {
    states: query.status as TaskState[] | undefined,
    tag: query.tag,
    username: query.user,
    workerId: query.worker,
    text: query.q,
    limit: query.limit,
    before: query.cursor,
  };
}

interface Stopped {
  readonly kind: 'asked' | 'ended' | 'too_fast';
  readonly task: Task;
}

/** Of writers racing for one record each round has a winner, so losing so often means something is wrong. */
const MAX_RACES = 25;
/** Of many that are cancelled at once: so many are written side by side. */
const CANCELS_AT_ONCE = 16;

export class TaskRecords {
  readonly #parts: TaskRecordParts;

  constructor(parts: TaskRecordParts) {
    this.#parts = parts;
  }

  /** @throws AppError `not_found`, also for other people's tasks: their existence is nobody's business */
  async get(by: Principal, id: string): Promise<Task> {
    const task = await this.#parts.store.tasks.get(id);
    if (!task || (task.ownerId !== by.userId && !seesAllTasks(by))) {
      throw new AppError('not_found', `you have no task ${id}; GET /api/tasks lists yours`);
    }
    return task;
  }

  /** Those of the ids that exist for whoever asks, in any order. */
  async getMany(by: Principal, ids: readonly string[]): Promise<Task[]> {
    const found = await this.#parts.store.tasks.getMany([...new Set(ids)]);
    return found.filter(({ ownerId }) => ownerId === by.userId || seesAllTasks(by));
  }

  /** @throws AppError `forbidden` when a user asks for someone else's */
  async list(by: Principal, query: TaskQuery): Promise<TaskPage> {
    const filter = await this.#filterOf(by, query);
    return filter ? this.#parts.store.tasks.list(filter, query) : { tasks: [], next: null };
  }

  /** The same in short. @throws AppError `forbidden` when a user asks for someone else's */
  async summaries(by: Principal, query: TaskQuery): Promise<TaskSummaryPage> {
    const filter = await this.#filterOf(by, query);
    return filter ? this.#parts.store.tasks.summaries(filter, query) : { tasks: [], next: null };
  }

  /**
   * Asks the task to stop. The record as it stands after that: `cancelled` when it waited, else with the wish.
   * @throws AppError `conflict` when it has ended; `forbidden` to viewers
   */
  async cancel(by: Principal, id: string, force: boolean): Promise<Task> {
    requireRight(by, 'task.cancel');
    const { kind, task } = await this.#stop(by, await this.get(by, id), force);
    if (kind === 'ended') throw new AppError('conflict', `the task has ended already: it is ${task.state}`);
    if (kind === 'too_fast') {
      throw new AppError('conflict', 'the task changes too fast to be cancelled; try again', {
        retryable: true,
      });
    }
    this.#parts.announcer.cancelRequested(task);
    return task;
  }

  /** Asks each of them to stop, however it goes with the others. Those that had ended come back as they are. */
  async cancelMany(
    by: Principal,
    ids: readonly string[],
    force: boolean,
  ): Promise<{ tasks: Task[]; unknown: string[] }> {
    requireRight(by, 'task.cancel');
    const found = await this.getMany(by, ids);
    const known = new Set(found.map(({ id }) => id));
    const tasks: Task[] = [];
    for (let at = 0; at < found.length; at += CANCELS_AT_ONCE) {
      const some = found.slice(at, at + CANCELS_AT_ONCE);
      const stopped = await Promise.all(some.map((task) => this.#stop(by, task, force)));
      tasks.push(...stopped.map(({ task }) => task));
      // At once: what is written must be told also when a later write fails.
      this.#parts.announcer.cancelsRequested(
        stopped.filter(({ kind }) => kind === 'asked').map(({ task }) => task),
      );
    }
    return { tasks, unknown: [...new Set(ids)].filter((id) => !known.has(id)) };
  }

  /** Writes the wish over the record as it was read, or as it is by then. Tells nobody. */
  async #stop(by: Principal, read: Task, force: boolean): Promise<Stopped> {
    const { clock } = this.#parts;
    let task = read;
    for (let race = 0; race < MAX_RACES; race += 1) {
      if (race > 0) task = await this.get(by, task.id);
      const asked = task.cancel !== null && (task.cancel.force || !force);
      if (asked && task.finishedAt === null) return { kind: 'asked', task };
      const step = requestCancel(task, { force, requestedBy: by.username, now: clock.now() });
      if (!step.ok) return { kind: 'ended', task };
      if (await this.#written(step.task)) return { kind: 'asked', task: step.task };
    }
    return { kind: 'too_fast', task };
  }

  /** When the answer is lost, the record says whether the wish stands in it. @throws what the store throws */
  async #written(next: Task): Promise<boolean> {
    const { tasks } = this.#parts.store;
    try {
      return await tasks.commit(next);
    } catch (error) {
      if (!isAppError(error) || !error.retryable) throw error;
      const now = await tasks.get(next.id).catch(() => null);
      const { requestedAt, requestedBy, force } = next.cancel ?? {};
      const stands = now?.cancel;
      const isMine = stands?.requestedAt === requestedAt && stands?.requestedBy === requestedBy;
      if (!now || now.revision < next.revision || !isMine || stands?.force !== force) throw error;
      return true;
    }
  }

  /** Null: of a name that nobody has. */
  async #filterOf(by: Principal, query: TaskQuery): Promise<TaskFilter | null> {
    const ownerId = await this.#ownerAskedFor(by, query.username);
    if (ownerId === null) return null;
    const { states, tag, workerId, text } = query;
    return { ownerId, states, tag, workerId, text };
  }

  /** Undefined: everyone's. Null: of a name that nobody has. */
  async #ownerAskedFor(by: Principal, username: string | undefined): Promise<string | null | undefined> {
    if (username === undefined) return seesAllTasks(by) ? undefined : by.userId;
    if (usernameKey(username) === usernameKey(by.username)) return by.userId;
    if (!seesAllTasks(by)) {
      throw new AppError('forbidden', `only admins and viewers may list the tasks of ${username}`);
    }
    return (await this.#parts.store.users.findByUsername(username))?.id ?? null;
  }
}
