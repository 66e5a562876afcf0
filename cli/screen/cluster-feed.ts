// Keeps what the live picture of a cluster shows up to date: telemetry and moves of tasks over Socket.io, by asking
// where that is silent. A cluster that is away is no fault here; the view says so until it is back.

import { ApiError, type Client } from '../../client/client.ts';
import type { Live } from '../../client/live.ts';
import { pause } from '../../client/transport.ts';
import type { TaskBody } from '../../shared/contracts/http.ts';
import type { TaskEvent } from '../../shared/contracts/live.ts';
import type { TelemetryReply } from '../../shared/contracts/workers.ts';
import type { Session } from '../session.ts';
import type { ClusterView, RunningTask } from './view.ts';

/** Telemetry comes each second: one that is late is asked for. */
const LATE_MS = 2_500;
/** How long the picture may be old before it says so. */
const STALE_MS = 5_000;
/** Running tasks that are looked at; the longest running of them are shown. */
const LISTED = 100;
/** Of these progress and use are listened to. */
const HEARD = 40;
/** One list for all moves within this time. */
const LIST_EVERY_MS = 1_500;
/** A list for the case that a move was missed. */
const LIST_AT_LEAST_MS = 15_000;
/** Snapshots after a connection stands: when the second comes, the rooms that were asked for are joined. */
const UNHEARD = 2;
/** Tasks shorter than this are not worth a subscription. */
const SETTLED_MS = 2_000;

interface Heard {
  readonly leave: () => void;
  progress: RunningTask['progress'];
  usage: RunningTask['usage'];
}

export class ClusterFeed {
  readonly #session: Session;
  readonly #client: Client;
  readonly #onChange: () => void;
  readonly #stop = new AbortController();
  readonly #heard = new Map<string, Heard>();
  #live: Live | null = null;
  #telemetry: TelemetryReply;
  #toldAt = performance.now();
  #why = 'the connection is silent';
  #running: TaskBody[] | null = null;
  #firstSeen = new Map<string, number>();
  #more = false;
  #listedAt = Number.NEGATIVE_INFINITY;
  #moved = true;
  #unheard = 0;

  private constructor(session: Session, telemetry: TelemetryReply, onChange: () => void) {
    this.#session = session;
    this.#client = session.client;
    this.#telemetry = telemetry;
    this.#onChange = onChange;
  }

  /** @throws ApiError, ConnectionError when there is nothing to begin with */
  static async open(session: Session, onChange: () => void): Promise<ClusterFeed> {
    const telemetry = await session.client.telemetry({ signal: session.io.signal });
    const feed = new ClusterFeed(session, telemetry, onChange);
    await feed.#list();
    await feed.#listen();
    return feed;
  }

  get view(): ClusterView {
    const silentMs = performance.now() - this.#toldAt;
    const running = this.#running?.map((task) => {
      const heard = this.#heard.get(task.task_id);
      return { task, progress: heard?.progress ?? null, usage: heard?.usage ?? null };
    });
    return {
      url: this.#session.url,
      telemetry: this.#telemetry,
      silence: silentMs < STALE_MS ? null : { ms: silentMs, why: this.#why },
      running: running ?? null,
      more: this.#more,
    };
  }

  /**
   * Asks for what does not come by itself, until the feed is closed.
   * @throws ApiError when the API no longer lets this user look
   */
  async keepUp(everyMs: number): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      await pause(everyMs, signal).catch(() => undefined);
      if (signal.aborted) return;
      if (performance.now() - this.#toldAt > LATE_MS) await this.#ask();
      const sinceList = performance.now() - this.#listedAt;
      if (sinceList > LIST_AT_LEAST_MS || (this.#moved && sinceList > LIST_EVERY_MS)) await this.#list();
      this.#hear();
    }
  }

  close(): void {
    this.#stop.abort();
    this.#live?.close();
  }

  async #listen(): Promise<void> {
    const live = await this.#session.openLive((state, fault) => {
      if (fault) this.#why = fault.message;
      if (state === 'connected') this.#unheard = UNHEARD;
    });
    this.#live = live;
    if (this.#stop.signal.aborted) live.close();
    live.subscribe('telemetry', {
      telemetry: (body) => {
        // What moved until the room of tasks was joined was not heard.
        if (this.#unheard > 0) {
          this.#unheard -= 1;
          this.#moved = true;
        }
        this.#told(body);
      },
    });
    if (this.#running === null) return;
    live.subscribe('tasks', { task: (event) => this.#onMove(event) });
    this.#hear();
  }

  #told(body: TelemetryReply): void {
    // A move that was not told still changes how many there are.
    if (body.tasks_by_state.running !== this.#telemetry.tasks_by_state.running) this.#moved = true;
    this.#telemetry = body;
    this.#toldAt = performance.now();
    this.#onChange();
  }

  async #ask(): Promise<void> {
    try {
      this.#told(await this.#client.telemetry({ signal: this.#stop.signal }));
    } catch (error) {
      if (isRefused(error)) throw error;
      this.#why = error instanceof Error ? error.message : String(error);
    }
  }

  #onMove({ task_id, status }: TaskEvent): void {
    this.#moved = true;
    if (status === 'running' || !this.#running?.some((task) => task.task_id === task_id)) return;
    this.#running = this.#running.filter((task) => task.task_id !== task_id);
    this.#onChange();
  }

  async #list(): Promise<void> {
    this.#moved = false;
    const isFirst = this.#listedAt < 0;
    try {
      const { signal } = this.#stop;
      const reply = await this.#client.listTasks({ status: ['running'], limit: LISTED }, { signal });
      const now = performance.now();
      this.#firstSeen = new Map(
        reply.tasks.map(({ task_id }) => [
          task_id,
          this.#firstSeen.get(task_id) ?? (isFirst ? Number.NEGATIVE_INFINITY : now),
        ]),
      );
      // The longest running stay where they are while short ones come and go under them.
      this.#running = reply.tasks.sort((a, b) => (a.started_at ?? '').localeCompare(b.started_at ?? ''));
      this.#more = reply.next_cursor !== null;
    } catch (error) {
      // The cluster is open to all who look, its tasks are not.
      if (isRefused(error)) this.#running = null;
      else this.#moved = true;
    }
    this.#listedAt = performance.now();
    this.#onChange();
  }

  /** Progress and use come to the room of each task: joined for those that are shown and last. */
  #hear(): void {
    const live = this.#live;
    if (!live) return;
    const settled = performance.now() - SETTLED_MS;
    const wanted = (this.#running ?? [])
      .slice(0, HEARD)
      .map(({ task_id }) => task_id)
      .filter((id) => (this.#firstSeen.get(id) ?? Number.POSITIVE_INFINITY) < settled);
    for (const [id, { leave }] of this.#heard) {
      if (wanted.includes(id)) continue;
      leave();
      this.#heard.delete(id);
    }
    for (const id of wanted.filter((one) => !this.#heard.has(one))) {
      const leave = live.subscribe(`task:${id}`, {
        progress: (progress) => {
          const heard = this.#heard.get(id);
          if (heard) heard.progress = progress;
        },
        usage: (usage) => {
          const heard = this.#heard.get(id);
          if (heard) heard.usage = usage;
        },
      });
      this.#heard.set(id, { leave, progress: null, usage: null });
    }
  }
}

function isRefused(error: unknown): boolean {
  return error instanceof ApiError && (error.status === 401 || error.status === 403);
}
