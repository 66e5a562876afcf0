// Reads the records of the attempts at work again: at once when somebody nudges, and every few seconds, for a nudge
// may be lost. That is how a runner learns of a cancel, or that an attempt was taken from it.

import { setImmediate as othersTurn } from 'node:timers/promises';
import type { Task } from '../../shared/model/task.ts';
import type { Log } from '../../shared/platform/log.ts';
import type { EventBus } from '../../shared/ports/coordination.ts';
import type { TaskStore } from '../../shared/ports/task-store.ts';
import type { AttemptRegistry } from '../executor/registry.ts';

/** A cancel whose nudge was lost is felt after this. */
const WATCH_EVERY_MS = 2_000;
/** Of the time a look takes: of ten thousand records on a loaded machine it takes seconds, and must not take them all. */
const PAUSE_FACTOR = 9;
const LONGEST_PAUSE_MS = 30_000;
/** Some milliseconds of the embedded store, which answers without ever leaving this thread. */
const PAGE = 100;

export interface RecordWatchParts {
  readonly workerId: string;
  readonly tasks: TaskStore;
  readonly bus: EventBus;
  readonly registry: AttemptRegistry;
  readonly log: Log;
  /** Somebody says that the worker's own record is gone; true or not, it is worth a look. */
  onRemoved(): void;
}

export class RecordWatch {
  readonly #parts: RecordWatchParts;
  #timer: NodeJS.Timeout | null = null;
  #unsubscribe: (() => Promise<void>) | null = null;
  #isStopped = false;
  #isAway = false;
  /** Not found the last time. Once may be chance, twice is the record's word. */
  #missing: ReadonlySet<string> = new Set();

  constructor(parts: RecordWatchParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#timer = setTimeout(() => void this.#lookAndGoOn(), WATCH_EVERY_MS);
  }

  /** Throws when the bus cannot be reached; may be called again then. */
  async listen(): Promise<void> {
    const { bus, workerId } = this.#parts;
    this.#unsubscribe ??= await bus.onNudge(workerId, (nudge) => {
      if (nudge.type === 'removed') this.#parts.onRemoved();
      else void this.#lookAt([nudge.taskId]);
    });
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    if (this.#timer) clearTimeout(this.#timer);
    await this.#unsubscribe?.();
  }

  async #lookAndGoOn(): Promise<void> {
    const begun = performance.now();
    await this.#lookAtAll();
    if (this.#isStopped) return;
    const inProportion = PAUSE_FACTOR * (performance.now() - begun);
    const pauseMs = Math.min(LONGEST_PAUSE_MS, Math.max(WATCH_EVERY_MS, inProportion));
    this.#timer = setTimeout(() => void this.#lookAndGoOn(), pauseMs);
  }

  async #lookAtAll(): Promise<void> {
    const { registry } = this.#parts;
    const ids = registry.taskIds();
    const missing = new Set<string>();
    for (let from = 0; from < ids.length; from += PAGE) {
      if (from > 0) await othersTurn();
      if (this.#isStopped) return;
      const page = ids.slice(from, from + PAGE);
      const found = await this.#lookAt(page);
      if (!found) continue;
      const there = new Set(found.map(({ id }) => id));
      for (const id of page) if (!there.has(id)) missing.add(id);
    }
    registry.forget(new Set([...missing].filter((id) => this.#missing.has(id))));
    this.#missing = missing;
  }

  async #lookAt(ids: readonly string[]): Promise<Task[] | null> {
    const { tasks, registry, log } = this.#parts;
    try {
      const found = await tasks.getMany(ids);
      for (const task of found) registry.learn(task);
      this.#isAway = false;
      return found;
    } catch (error) {
      if (!this.#isAway) log.warn({ err: error }, 'records cannot be read now');
      this.#isAway = true;
      return null;
    }
  }
}
