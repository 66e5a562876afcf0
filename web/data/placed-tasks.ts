// Which tasks hold a part of which worker: asked for once, corrected by each change that is heard of, asked for again
// when something new was placed.

import type { ReactiveControllerHost } from 'lit';
import type { TaskEvent } from '../../shared/contracts/live.ts';
import type { TaskSummaryBody } from '../../shared/contracts/task-lists.ts';
import { LiveSubscription } from './live-subscription.ts';
import { Poll } from './poll.ts';
import type { Session } from './session.ts';

export type PlacedTask = Pick<
  TaskSummaryBody,
  | 'task_id'
  | 'name'
  | 'user'
  | 'status'
  | 'worker_id'
  | 'docker_image'
  | 'cpu_required'
  | 'memory_required'
  | 'gpu_required'
  | 'started_at'
  | 'submitted_at'
>;

const PAGE = 1_000;
/** More are not asked for: what they hold shows as held by others. */
const MOST_PAGES = 5;

/** The list after a change; null when it has to be asked for, as the task is not in it. */
export function afterEvent(tasks: readonly PlacedTask[], event: TaskEvent): readonly PlacedTask[] | null {
  const at = tasks.findIndex(({ task_id }) => task_id === event.task_id);
  const isPlaced = event.status === 'assigned' || event.status === 'running';
  if (!isPlaced) return at < 0 ? tasks : tasks.toSpliced(at, 1);
  const task = tasks[at];
  if (!task || task.worker_id !== event.worker_id) return null;
  return task.status === event.status ? tasks : tasks.with(at, { ...task, status: event.status });
}

export function byWorker(tasks: readonly PlacedTask[]): ReadonlyMap<string, readonly PlacedTask[]> {
  const found = new Map<string, PlacedTask[]>();
  for (const task of tasks) {
    if (task.worker_id === null) continue;
    const list = found.get(task.worker_id);
    if (list) list.push(task);
    else found.set(task.worker_id, [task]);
  }
  // The oldest first, so that what is there already stays where it is drawn. Ids grow with time.
  for (const list of found.values()) list.sort((a, b) => (a.task_id < b.task_id ? -1 : 1));
  return found;
}

export class PlacedTasks {
  readonly #poll: Poll<readonly PlacedTask[]>;
  #grouped: { of: readonly PlacedTask[]; by: ReadonlyMap<string, readonly PlacedTask[]> } | null = null;

  /** @param worker only those of this one */
  constructor(
    host: ReactiveControllerHost,
    session: () => Session,
    worker: () => string | undefined = () => undefined,
  ) {
    this.#poll = new Poll<readonly PlacedTask[]>(host, {
      load: async (signal) => {
        const tasks: PlacedTask[] = [];
        let cursor: string | undefined;
        for (let page = 0; page < MOST_PAGES; page += 1) {
          const reply = await session().client.listTaskSummaries(
            { status: ['assigned', 'running'], worker: worker(), limit: PAGE, cursor },
            { signal },
          );
          tasks.push(...reply.tasks);
          if (reply.next_cursor === null) break;
          cursor = reply.next_cursor;
        }
        return tasks;
      },
      pushedBy: session,
    });
    new LiveSubscription(host, () =>
      session().live.subscribe('tasks', {
        task: (event) => this.#heard(event, worker()),
        standing: () => this.#poll.refreshSoon(),
      }),
    );
  }

  /** Null before the first answer. */
  get byWorker(): ReadonlyMap<string, readonly PlacedTask[]> | null {
    const { data } = this.#poll;
    if (data === null) return null;
    if (this.#grouped?.of !== data) this.#grouped = { of: data, by: byWorker(data) };
    return this.#grouped.by;
  }

  get error(): Error | null {
    return this.#poll.error;
  }

  refresh(): void {
    this.#poll.refresh();
  }

  /** Another worker is asked about. */
  restart(): void {
    this.#poll.restart();
  }

  #heard(event: TaskEvent, only: string | undefined): void {
    const { data } = this.#poll;
    // The answer that is under way may be older than this.
    if (this.#poll.isAsking) this.#poll.refreshSoon();
    if (data === null) return;
    // For one worker's list a task elsewhere has as good as ended.
    const isElsewhere = only !== undefined && event.worker_id !== only;
    const next = afterEvent(data, isElsewhere ? { ...event, status: 'queued' } : event);
    if (next === null) this.#poll.refreshSoon();
    else if (next !== data) this.#poll.take(next);
  }
}
