// Looks through the tasks that ended lately, for ends whose event was lost. The store alone is asked, so an end is
// told as long as any copy of the API is up within a quarter of an hour of it.

import { setImmediate as othersTurn } from 'node:timers/promises';
import type { Task } from '../../../shared/model/task.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import type { Store } from '../../../shared/ports/store.ts';
import type { DeliveryMaker } from './maker.ts';
import type { OwnerWebhooks } from './owner-webhooks.ts';

/** How far back the first look goes. */
const LOOK_BACK_MS = 15 * 60_000;
/** Looked at again each time: clocks differ, and a runner may commit a result late. */
const OVERLAP_MS = 60_000;
/** A webhook hears nothing that ended before it was made, as far as clocks can tell. */
const CLOCKS_DIFFER_MS = 5_000;
const PAGE = 100;

export interface SweepParts {
  readonly tasks: Store['tasks'];
  readonly owners: OwnerWebhooks;
  readonly maker: DeliveryMaker;
  readonly clock: Clock;
}

export class EndSweep {
  readonly #parts: SweepParts;
  /** Ends up to here were looked at. */
  #upTo: number;

  constructor(parts: SweepParts) {
    this.#parts = parts;
    this.#upTo = parts.clock.now() - LOOK_BACK_MS + OVERLAP_MS;
  }

  /** @throws AppError of the store; the next round begins where this one did */
  async look(): Promise<void> {
    const { tasks, clock } = this.#parts;
    const begin = clock.now();
    const since = this.#upTo - OVERLAP_MS;
    let after: { finishedAt: number; id: string } | undefined;
    for (;;) {
      const page = await tasks.ended({ since, after, limit: PAGE, withWebhook: true });
      await this.#tell(page);
      const last = page.at(-1);
      if (!last || page.length < PAGE) break;
      // A store may answer without ever leaving this thread.
      await othersTurn();
      after = { finishedAt: last.finishedAt ?? since, id: last.id };
    }
    this.#upTo = begin;
  }

  async #tell(tasks: readonly Task[]): Promise<void> {
    const { owners, maker } = this.#parts;
    const wishes = tasks.map(async (task) => {
      const end = task.finishedAt ?? 0;
      const webhooks = (await owners.of(task.ownerId)).filter(
        ({ createdAt }) => createdAt <= end + CLOCKS_DIFFER_MS,
      );
      return { telling: { task, event: task.state, attempt: task.attempt }, webhooks };
    });
    await maker.make(await Promise.all(wishes));
  }
}
