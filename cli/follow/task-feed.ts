// The record of one task, kept up to date: told over Socket.io, asked for where that is silent. An API that is away is
// waited for as long as patience lasts. It never starts, stops or changes a task.

import { type Client, mayPass } from '../../client/client.ts';
import type { Live } from '../../client/live.ts';
import { pause } from '../../client/transport.ts';
import type { TaskBody } from '../../shared/contracts/http.ts';
import type { TaskPartialEvent, TaskProgressBody, TaskUsageEvent } from '../../shared/contracts/live.ts';
import { isTerminal } from '../../shared/model/task-states.ts';
import type { Session } from '../session.ts';

export const PATIENCE_MS = 60_000;
const FIRST_PAUSE_MS = 250;
const LAST_PAUSE_MS = 2_000;
/** The record is asked for now and then also while it is told: a message may get lost, the record does not. */
const CHECK_MS = 15_000;

/** All are optional. */
export interface TaskNews {
  record?(task: TaskBody): void;
  progress?(progress: TaskProgressBody): void;
  usage?(usage: TaskUsageEvent): void;
  partial?(partial: TaskPartialEvent): void;
  /** The API is away, and why; null once it is back. */
  connection?(lost: string | null): void;
}

interface Waiter {
  readonly wanted: (task: TaskBody) => boolean;
  readonly resolve: (task: TaskBody) => void;
  readonly reject: (error: unknown) => void;
}

export class TaskFeed {
  readonly #client: Client;
  readonly #id: string;
  readonly #news: TaskNews;
  readonly #patienceMs: number;
  readonly #stop = new AbortController();
  readonly #broken = new AbortController();
  readonly #waiters = new Set<Waiter>();
  #live: Live | null = null;
  #record: TaskBody;
  /** The room of the task is joined: news comes by itself. */
  #isTold = false;
  #lost: string | null = null;
  #lostAt = 0;
  #fault: { readonly error: unknown } | null = null;

  private constructor(session: Session, record: TaskBody, news: TaskNews, patienceMs: number) {
    this.#client = session.client;
    this.#id = record.task_id;
    this.#record = record;
    this.#news = news;
    this.#patienceMs = patienceMs;
  }

  /** A task that has ended is asked for once, and nothing is listened to. @throws ApiError, ConnectionError */
  static async open(
    session: Session,
    id: string,
    news: TaskNews = {},
    patienceMs = PATIENCE_MS,
  ): Promise<TaskFeed> {
    const { signal } = session.io;
    const feed = new TaskFeed(session, await session.client.getTask(id, { signal }), news, patienceMs);
    if (signal.aborted) feed.#fail(signal.reason);
    else signal.addEventListener('abort', () => feed.#fail(signal.reason), { signal: feed.#stop.signal });
    if (isTerminal(feed.#record.status) || signal.aborted) return feed;
    await feed.#listen(session);
    void feed.#keepAsking();
    return feed;
  }

  get record(): TaskBody {
    return this.#record;
  }

  /** Aborted when there will be no more news: by Ctrl-C, or because patience is at an end. */
  get broken(): AbortSignal {
    return this.#broken.signal;
  }

  /** Why there is no more news. @throws the same as `until` */
  check(): void {
    if (this.#fault) throw this.#fault.error;
  }

  /** @throws ApiError, ConnectionError once patience is at an end, the reason of Ctrl-C */
  until(wanted: (task: TaskBody) => boolean): Promise<TaskBody> {
    if (this.#fault) return Promise.reject(this.#fault.error);
    if (wanted(this.#record)) return Promise.resolve(this.#record);
    return new Promise((resolve, reject) => this.#waiters.add({ wanted, resolve, reject }));
  }

  close(): void {
    this.#stop.abort();
    this.#live?.close();
  }

  async #listen(session: Session): Promise<void> {
    const live = await session.openLive((state, fault) => {
      if (state === 'connected') return;
      this.#isTold = false;
      if (state === 'reconnecting') this.#away(fault?.message ?? 'the connection was cut');
    });
    this.#live = live;
    if (this.#stop.signal.aborted) live.close();
    live.subscribe(`task:${this.#id}`, {
      record: (task) => {
        this.#isTold = true;
        this.#take(task);
      },
      progress: (progress) => progress && this.#news.progress?.(progress),
      usage: (usage) => this.#news.usage?.(usage),
      partial: (partial) => this.#news.partial?.(partial),
      refused: () => {
        this.#isTold = false;
      },
    });
  }

  async #keepAsking(): Promise<void> {
    const { signal } = this.#stop;
    let pauseMs = FIRST_PAUSE_MS;
    let asked = performance.now();
    while (!signal.aborted) {
      await pause(pauseMs, signal).catch(() => undefined);
      pauseMs = Math.min(pauseMs * 1.5, LAST_PAUSE_MS);
      if (signal.aborted || isTerminal(this.#record.status)) return;
      if (this.#isTold && performance.now() - asked < CHECK_MS) continue;
      try {
        const task = await this.#client.getTask(this.#id, { signal });
        asked = performance.now();
        this.#take(task);
      } catch (error) {
        if (signal.aborted) return;
        const isLate = this.#lost !== null && performance.now() - this.#lostAt > this.#patienceMs;
        if (!mayPass(error) || isLate) {
          this.#fail(error);
          return;
        }
        this.#isTold = false;
        this.#away((error as Error).message);
      }
    }
  }

  #take(task: TaskBody): void {
    if (this.#lost !== null) {
      this.#lost = null;
      this.#news.connection?.(null);
    }
    // An answer that was under way for long must not undo what was told meanwhile.
    if (rank(task) < rank(this.#record)) return;
    this.#record = task;
    this.#news.record?.(task);
    for (const waiter of [...this.#waiters]) {
      if (!waiter.wanted(task)) continue;
      this.#waiters.delete(waiter);
      waiter.resolve(task);
    }
  }

  #away(why: string): void {
    if (this.#lost !== null) return;
    this.#lost = why;
    this.#lostAt = performance.now();
    this.#news.connection?.(why);
  }

  #fail(error: unknown): void {
    this.#fault ??= { error };
    for (const { reject } of this.#waiters) reject(error);
    this.#waiters.clear();
    this.#broken.abort(error);
    this.close();
  }
}

/** How far a task has come; it never goes back. */
function rank({ attempt, status }: TaskBody): number {
  const step = isTerminal(status) ? 3 : status === 'running' ? 2 : status === 'assigned' ? 1 : 0;
  return attempt * 4 + step;
}
