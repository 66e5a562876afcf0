// Follows a task through its attempts to its end: its output line by line, its states between them. Tells a view, and
// knows nothing of how that shows it. A task goes on when its follower leaves.

import { pause } from '../../client/transport.ts';
import type { TaskBody } from '../../shared/contracts/http.ts';
import { isTerminal } from '../../shared/model/task-states.ts';
import type { Session } from '../session.ts';
import { PATIENCE_MS, TaskFeed } from './task-feed.ts';
import type { TaskView } from './task-view.ts';

export interface FollowOptions {
  /** From the first attempt on; else from the one it is at. */
  readonly fromFirst?: boolean;
  readonly patienceMs?: number | undefined;
}

/** One that is placed at once needs no explanation. */
const FIRST_EXPLAIN_MS = 1_000;
const EXPLAIN_EVERY_MS = 10_000;

/**
 * The record as it is at the end, after all of its output.
 * @throws ApiError, ConnectionError once patience is at an end, the reason of Ctrl-C
 */
export async function followTask(
  session: Session,
  id: string,
  view: TaskView,
  { fromFirst = false, patienceMs = PATIENCE_MS }: FollowOptions = {},
): Promise<TaskBody> {
  const states = new States(view);
  const feed = await TaskFeed.open(
    session,
    id,
    {
      record: (task) => states.take(task),
      progress: (progress) => view.progress(progress),
      usage: (usage) => view.usage(usage),
      partial: (partial) => view.partial(partial),
      connection: (lost) => view.connection(lost),
    },
    patienceMs,
  );
  const over = new AbortController();
  try {
    let attempt = fromFirst ? 1 : feed.record.attempt;
    states.reach(attempt);
    states.take(feed.record);
    void explainWhileQueued(session, feed, view, over.signal);
    for (;;) {
      const isOver = (task: TaskBody) => isTerminal(task.status) || task.attempt > attempt;
      const isThere = (task: TaskBody) => task.attempts.some((one) => one.attempt === attempt);
      const begun = await feed.until((task) => isThere(task) || isOver(task));
      if (isThere(begun)) {
        const how = { attempt, follow: true, signal: feed.broken, patienceMs };
        for await (const line of session.client.taskLogs(id, how)) await view.line(line, attempt);
      }
      const task = await feed.until(isOver);
      if (task.attempt <= attempt) return task;
      attempt += 1;
      states.reach(attempt);
    }
  } catch (error) {
    // Reading breaks off when the feed does, whose reason is the true one.
    feed.check();
    throw error;
  } finally {
    over.abort();
    feed.close();
  }
}

/** Tells each state once, and none of an attempt before the output of those before it. */
class States {
  readonly #view: TaskView;
  #attempt = 1;
  #told = '';
  #held: TaskBody | null = null;

  constructor(view: TaskView) {
    this.#view = view;
  }

  /** The output of all attempts before this one is out. */
  reach(attempt: number): void {
    this.#attempt = attempt;
    const held = this.#held;
    this.#held = null;
    if (held) this.take(held);
  }

  take(task: TaskBody): void {
    if (isTerminal(task.status)) return;
    if (task.attempt > this.#attempt) {
      this.#held = task;
      return;
    }
    const key = `${task.attempt} ${task.status} ${task.cancel_requested}`;
    if (key === this.#told) return;
    this.#told = key;
    this.#view.state(task);
  }
}

async function explainWhileQueued(
  session: Session,
  feed: TaskFeed,
  view: TaskView,
  signal: AbortSignal,
): Promise<void> {
  let told = '';
  for (let pauseMs = FIRST_EXPLAIN_MS; ; pauseMs = EXPLAIN_EVERY_MS) {
    await pause(pauseMs, signal).catch(() => undefined);
    if (signal.aborted) return;
    if (feed.record.status !== 'queued') continue;
    // Whether the API can be reached is told by the feed.
    const reply = await session.client.explainTask(feed.record.task_id, { signal }).catch(() => null);
    if (signal.aborted) return;
    if (reply?.status !== 'queued' || feed.record.status !== 'queued') continue;
    const key = `${reply.summary} ${reply.position}`;
    if (key !== told) view.waiting(reply);
    told = key;
  }
}
