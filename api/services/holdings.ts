// What the assigned and running tasks of each account hold. Read once for all who ask within a moment.

import { addResources, NO_RESOURCES, type Resources } from '../../shared/model/resources.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { TaskStore } from '../../shared/ports/task-store.ts';

const FRESH_MS = 1_000;

export interface HoldingsParts {
  readonly tasks: Pick<TaskStore, 'allocations'>;
  readonly clock: Clock;
}

export class Holdings {
  readonly #parts: HoldingsParts;
  #last: { byOwner: Promise<ReadonlyMap<string, Resources>>; since: number; done: boolean } | null = null;

  constructor(parts: HoldingsParts) {
    this.#parts = parts;
  }

  /** By the id of the owner; who holds nothing is absent. At most a second old. */
  byOwner(): Promise<ReadonlyMap<string, Resources>> {
    const now = this.#parts.clock.monotonic();
    if (this.#last && (!this.#last.done || now - this.#last.since < FRESH_MS)) return this.#last.byOwner;
    const last = { byOwner: this.#read(), since: now, done: false };
    this.#last = last;
    last.byOwner.then(
      () => {
        last.done = true;
      },
      () => {
        // A fault is not kept for the next one to ask.
        if (this.#last === last) this.#last = null;
      },
    );
    return last.byOwner;
  }

  async #read(): Promise<ReadonlyMap<string, Resources>> {
    const held = new Map<string, Resources>();
    for (const { ownerId, resources } of await this.#parts.tasks.allocations()) {
      held.set(ownerId, addResources(held.get(ownerId) ?? NO_RESOURCES, resources));
    }
    return held;
  }
}
