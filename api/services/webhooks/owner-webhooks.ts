// The webhooks of each owner, kept for some seconds, so that changes of tasks cost no look into the store.
// A webhook made through another copy of the API is known here that much later.

import type { Webhook } from '../../../shared/model/webhook.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import type { WebhookStore } from '../../../shared/ports/store.ts';

const FRESH_MS = 5_000;
/** Beyond that those that were looked up first are forgotten. */
const MAX_OWNERS = 10_000;

interface Kept {
  readonly webhooks: Promise<readonly Webhook[]>;
  /** Undefined until it is read. */
  read: readonly Webhook[] | undefined;
  readonly since: number;
}

export class OwnerWebhooks {
  readonly #store: Pick<WebhookStore, 'list'>;
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #kept = new Map<string, Kept>();

  constructor(store: Pick<WebhookStore, 'list'>, clock: Pick<Clock, 'monotonic'>) {
    this.#store = store;
    this.#clock = clock;
  }

  /** What is known without looking; undefined when it has to be looked up. */
  known(ownerId: string): readonly Webhook[] | undefined {
    return this.#fresh(ownerId)?.read;
  }

  /** @throws AppError of the store */
  of(ownerId: string): Promise<readonly Webhook[]> {
    const found = this.#fresh(ownerId);
    if (found) return found.webhooks;
    const webhooks = this.#store.list(ownerId);
    const kept: Kept = { webhooks, read: undefined, since: this.#clock.monotonic() };
    // Set anew, it comes last in the order of forgetting.
    this.#kept.delete(ownerId);
    this.#kept.set(ownerId, kept);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= MAX_OWNERS) break;
      this.#kept.delete(oldest);
    }
    webhooks.then(
      (read) => {
        kept.read = read;
      },
      () => {
        // A fault is not kept for the next one to meet.
        if (this.#kept.get(ownerId) === kept) this.#kept.delete(ownerId);
      },
    );
    return webhooks;
  }

  /** They have changed. */
  forget(ownerId: string): void {
    this.#kept.delete(ownerId);
  }

  #fresh(ownerId: string): Kept | null {
    const kept = this.#kept.get(ownerId);
    return kept && this.#clock.monotonic() - kept.since < FRESH_MS ? kept : null;
  }
}
