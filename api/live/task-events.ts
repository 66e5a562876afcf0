// Changes of tasks for the sockets of this API copy. Every copy hears them on the event bus, so each tells its own
// sockets only. Events may be lost: records that are watched are looked at now and then, and nobody is shown an older
// record after a newer one.

import { taskBodyWithSla } from '../../shared/contracts/http.ts';
import { taskEvent, taskRoom } from '../../shared/contracts/live.ts';
import type { RunLearner } from '../../shared/learning/run-learner.ts';
import { type TaskChanged, taskChanged } from '../../shared/model/event.ts';
import type { Task } from '../../shared/model/task.ts';
import { isTerminal } from '../../shared/model/task-states.ts';
import { type Principal, seesAllTasks } from '../../shared/model/user.ts';
import type { Log } from '../../shared/platform/log.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { EventBus } from '../../shared/ports/coordination.ts';
import type { TaskStore } from '../../shared/ports/task-store.ts';
import { answerWithin } from '../services/deadline.ts';
import type { LiveServer } from './live-server.ts';

/** Rooms behind the room `tasks`. */
const ALL_TASKS = 'tasks:all';
const tasksOf = (userId: string): string => `tasks:of:${userId}`;
export const tasksRoomOf = (who: Principal): string => (seesAllTasks(who) ? ALL_TASKS : tasksOf(who.userId));

export interface TaskEventParts {
  readonly io: LiveServer;
  readonly bus: EventBus;
  readonly tasks: Pick<TaskStore, 'getMany'>;
  readonly learner: Pick<RunLearner, 'slaOf'>;
  readonly clock: Clock;
  readonly log: Log;
}

interface Watched {
  /** Of the oldest record that a watcher may have as its newest. */
  revision: number;
  /** Newest revision that an event told of. */
  told: number;
  /** Of the newest record that was read: told when no event does. */
  last: TaskChanged;
  watchers: number;
  over: boolean;
  /** When the record was last seen, monotonic. */
  seenAt: number;
}

const SUBSCRIBE_DEADLINE_MS = 5_000;
const UNSUBSCRIBE_DEADLINE_MS = 1_000;
/** Records read in one go. */
const PER_READ = 200;
/** A watched record that was not read for so long is looked at: its event may have been lost. */
const LOOK_AFTER_MS = 10_000;
const LOOK_MS = 1_000;
/** In one look. */
const MAX_LOOKED_AT = 1_000;

export class TaskEvents {
  readonly #parts: TaskEventParts;
  readonly #watched = new Map<string, Watched>();
  readonly #wanted = new Set<string>();
  #reading = false;
  #looker: NodeJS.Timeout | null = null;
  #unsubscribe: (() => Promise<void>) | null = null;
  #stopped = false;

  constructor(parts: TaskEventParts) {
    this.#parts = parts;
  }

  /** Without the bus, watchers see changes a few seconds later. */
  async start(): Promise<void> {
    const { bus, log } = this.#parts;
    this.#looker = setInterval(() => this.#look(), LOOK_MS);
    const subscription = bus.subscribe((event) => {
      if (event.type === 'task') this.#onChange(event);
    });
    try {
      this.#unsubscribe = await answerWithin(subscription, SUBSCRIBE_DEADLINE_MS, 'the event bus');
    } catch (error) {
      log.warn({ err: error }, 'no events; watchers see changes a little later');
    }
  }

  /** A socket has joined the room of the task and knows the record of this revision. */
  watch(task: Task): void {
    const { clock } = this.#parts;
    const { revision } = task;
    const there = this.#watched.get(task.id);
    const entry = there ?? {
      revision,
      told: revision,
      last: taskChanged(task),
      watchers: 0,
      over: false,
      seenAt: clock.monotonic(),
    };
    entry.watchers += 1;
    entry.revision = Math.min(entry.revision, revision);
    entry.over = isTerminal(task.state);
    this.#watched.set(task.id, entry);
    // It may have changed after this socket's look and before it joined.
    if (!entry.over) this.#want(task.id);
  }

  unwatch(taskId: string): void {
    const entry = this.#watched.get(taskId);
    if (!entry) return;
    entry.watchers -= 1;
    if (entry.watchers <= 0) this.#watched.delete(taskId);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#looker) clearInterval(this.#looker);
    const unsubscribe = this.#unsubscribe;
    this.#unsubscribe = null;
    if (!unsubscribe) return;
    await answerWithin(unsubscribe(), UNSUBSCRIBE_DEADLINE_MS, 'the event bus').catch((error) =>
      this.#parts.log.debug({ err: error }, 'the subscription ends with its connection'),
    );
  }

  #onChange(event: TaskChanged): void {
    if (this.#stopped) return;
    this.#tell(event);
    const entry = this.#watched.get(event.taskId);
    if (entry && event.revision > entry.revision) this.#want(event.taskId);
  }

  #tell(event: TaskChanged): void {
    const { rooms } = this.#parts.io.of('/').adapter;
    // Encoding is what costs: thousands of tasks may change each second, and nobody watches most of them.
    const listening = [ALL_TASKS, tasksOf(event.ownerId), taskRoom(event.taskId)].filter((room) =>
      rooms.has(room),
    );
    if (listening.length > 0) this.#parts.io.local.to(listening).emit('task', taskEvent(event));
    const entry = this.#watched.get(event.taskId);
    if (entry) entry.told = Math.max(entry.told, event.revision);
  }

  #look(): void {
    const now = this.#parts.clock.monotonic();
    let left = MAX_LOOKED_AT;
    for (const [taskId, entry] of this.#watched) {
      if (entry.last.revision > entry.told && entry.seenAt <= now - LOOK_MS) this.#tell(entry.last);
      if (entry.over || entry.seenAt > now - LOOK_AFTER_MS) continue;
      this.#want(taskId);
      left -= 1;
      if (left === 0) return;
    }
  }

  #want(taskId: string): void {
    this.#wanted.add(taskId);
    if (this.#reading || this.#stopped) return;
    this.#reading = true;
    // One turn of the loop: what changed together is read together.
    setImmediate(() => void this.#readWanted());
  }

  async #readWanted(): Promise<void> {
    const { tasks, log } = this.#parts;
    try {
      while (this.#wanted.size > 0 && !this.#stopped) {
        const ids = [...this.#wanted].slice(0, PER_READ);
        for (const id of ids) this.#wanted.delete(id);
        for (const task of await tasks.getMany(ids)) this.#onRecord(task);
      }
    } catch (error) {
      // The next look finds what was not read now.
      this.#wanted.clear();
      log.debug({ err: error }, 'watched records cannot be read');
    } finally {
      this.#reading = false;
    }
  }

  #onRecord(task: Task): void {
    const entry = this.#watched.get(task.id);
    if (!entry || this.#stopped) return;
    entry.seenAt = this.#parts.clock.monotonic();
    entry.over = isTerminal(task.state);
    if (task.revision <= entry.revision) return;
    entry.revision = task.revision;
    entry.last = taskChanged(task);
    this.#parts.io.local
      .to(taskRoom(task.id))
      .emit('task:record', { task: taskBodyWithSla(task, this.#parts.learner.slaOf(task)) });
  }
}
