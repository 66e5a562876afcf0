// Wakes those who wait for a task of theirs to change, and tells of every change those who want all, from one
// subscription for the whole process.
// Events may be lost: whoever waits here must also look by himself now and then.

import type { TaskChanged } from '../../shared/model/event.ts';
import type { Log } from '../../shared/platform/log.ts';
import type { EventBus } from '../../shared/ports/coordination.ts';
import { answerWithin } from './deadline.ts';

const SUBSCRIBE_DEADLINE_MS = 5_000;

export class TaskWatch {
  readonly #bus: EventBus;
  readonly #log: Log;
  readonly #handlers = new Map<string, Set<() => void>>();
  readonly #listeners = new Set<(event: TaskChanged) => void>();
  #unsubscribe: (() => Promise<void>) | null = null;

  constructor(bus: EventBus, log: Log) {
    this.#bus = bus;
    this.#log = log;
  }

  /** Without the bus, waiting goes on by looking alone. */
  async start(): Promise<void> {
    const subscription = this.#bus.subscribe((event) => {
      if (event.type !== 'task') return;
      for (const wake of this.#handlers.get(event.taskId) ?? []) wake();
      for (const hear of this.#listeners) hear(event);
    });
    try {
      this.#unsubscribe = await answerWithin(subscription, SUBSCRIBE_DEADLINE_MS, 'the event bus');
    } catch (error) {
      this.#log.warn({ err: error }, 'no events; changes are noticed a little later');
    }
  }

  /** @returns ends the watch */
  on(taskId: string, wake: () => void): () => void {
    const handlers = this.#handlers.get(taskId) ?? new Set();
    handlers.add(wake);
    this.#handlers.set(taskId, handlers);
    return () => {
      handlers.delete(wake);
      if (handlers.size === 0 && this.#handlers.get(taskId) === handlers) this.#handlers.delete(taskId);
    };
  }

  /** Every change of every task. @returns ends it */
  onEvery(hear: (event: TaskChanged) => void): () => void {
    this.#listeners.add(hear);
    return () => {
      this.#listeners.delete(hear);
    };
  }

  async stop(): Promise<void> {
    const unsubscribe = this.#unsubscribe;
    this.#unsubscribe = null;
    if (!unsubscribe) return;
    await answerWithin(unsubscribe(), SUBSCRIBE_DEADLINE_MS, 'the event bus').catch((error) =>
      this.#log.debug({ err: error }, 'the subscription ends with its connection'),
    );
  }
}
