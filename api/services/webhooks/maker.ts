// Makes deliveries of the changes it hears of. What it hears only says where to look: the record in the store
// decides what is told. Collects what comes while one round is on its way, so that a burst costs few round trips.
// Changes nobody wants to hear of cost a look into a map.

import type { TaskChanged } from '../../../shared/model/event.ts';
import type { Webhook } from '../../../shared/model/webhook.ts';
import type { Log } from '../../../shared/platform/log.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import type { Store } from '../../../shared/ports/store.ts';
import { deliveriesOf } from './deliveries.ts';
import type { OwnerWebhooks } from './owner-webhooks.ts';
import type { Telling } from './payload.ts';

/** Kept while the store is slow; beyond that only ends are made up for, by the sweep. */
const MAX_WAITING = 20_000;
const ROUND_SIZE = 500;
/** Ids of deliveries that stand in the store already, so that the sweep need not ask for them again. */
const MAX_REMEMBERED = 50_000;

export interface MakerParts {
  readonly store: Pick<Store, 'tasks' | 'webhooks'>;
  readonly owners: OwnerWebhooks;
  readonly clock: Clock;
  readonly log: Log;
  /** There are new deliveries. */
  readonly onMade: () => void;
}

export interface Wish {
  readonly telling: Telling;
  /** Of the owner of the task, those that may hear it. */
  readonly webhooks: readonly Webhook[];
}

export class DeliveryMaker {
  readonly #parts: MakerParts;
  readonly #made = new Set<string>();
  #waiting: TaskChanged[] = [];
  #dropped = 0;
  #round: Promise<void> | null = null;

  constructor(parts: MakerParts) {
    this.#parts = parts;
  }

  hear(event: TaskChanged): void {
    if (!event.hasWebhook) {
      const webhooks = this.#parts.owners.known(event.ownerId);
      if (webhooks && !webhooks.some(({ events }) => events.includes(event.state))) return;
    }
    if (this.#waiting.length >= MAX_WAITING) {
      this.#dropped += 1;
      return;
    }
    this.#waiting.push(event);
    this.#round ??= this.#run();
  }

  /** Writes the deliveries that are wished for and not there yet. @throws AppError of the store */
  async make(wishes: readonly Wish[]): Promise<void> {
    const { store, clock, onMade } = this.#parts;
    const now = clock.now();
    const deliveries = wishes
      .flatMap(({ telling, webhooks }) => deliveriesOf(telling, webhooks, now))
      .filter(({ id }) => !this.#made.has(id));
    if (deliveries.length === 0) return;
    const fresh = await store.webhooks.insertDeliveries(deliveries);
    for (const { id } of deliveries) this.#made.add(id);
    for (const oldest of this.#made) {
      if (this.#made.size <= MAX_REMEMBERED) break;
      this.#made.delete(oldest);
    }
    if (fresh.size > 0) onMade();
  }

  /** Resolves when all that was heard has been tried. */
  async settle(): Promise<void> {
    await this.#round;
  }

  async #run(): Promise<void> {
    // One turn of the loop: what arrived in one message shares the first round.
    await new Promise<void>((go) => setImmediate(go));
    const { log } = this.#parts;
    while (this.#waiting.length > 0) {
      const events = this.#waiting.splice(0, ROUND_SIZE);
      try {
        await this.make(await this.#wishes(events));
      } catch (error) {
        log.warn({ err: error, count: events.length }, 'changes not told to webhooks; ends are told later');
      }
      if (this.#dropped > 0) {
        log.warn({ count: this.#dropped }, 'changes not told to webhooks in a flood; ends are told later');
        this.#dropped = 0;
      }
    }
    this.#round = null;
  }

  async #wishes(events: readonly TaskChanged[]): Promise<Wish[]> {
    const { store, owners } = this.#parts;
    const ownerIds = [...new Set(events.map(({ ownerId }) => ownerId))];
    const known = new Map(await Promise.all(ownerIds.map(async (id) => [id, await owners.of(id)] as const)));
    const wanted = events.filter(
      ({ hasWebhook, ownerId, state }) =>
        hasWebhook || known.get(ownerId)?.some((webhook) => webhook.events.includes(state)),
    );
    if (wanted.length === 0) return [];
    const tasks = await store.tasks.getMany([...new Set(wanted.map(({ taskId }) => taskId))]);
    const byId = new Map(tasks.map((task) => [task.id, task]));
    return wanted.flatMap(({ taskId, state, attempt }) => {
      const task = byId.get(taskId);
      const webhooks = known.get(task?.ownerId ?? '') ?? [];
      return task ? [{ telling: { task, event: state, attempt }, webhooks }] : [];
    });
  }
}
