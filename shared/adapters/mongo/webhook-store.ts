// Webhooks, signing secrets and deliveries in MongoDB. Sends nothing; a delivery changes by compare-and-set alone.

import type { Filter } from 'mongodb';
import type { Webhook, WebhookDelivery } from '../../model/webhook.ts';
import type { WebhookStore } from '../../ports/store.ts';
import type { Collections, DeliveryDocument } from './collections.ts';
import { guarded, unavailable, upserting } from './errors.ts';
import { insertNew } from './insert-new.ts';

export class MongoWebhookStore implements WebhookStore {
  readonly #webhooks: Collections['webhooks'];
  readonly #secrets: Collections['signingSecrets'];
  readonly #deliveries: Collections['deliveries'];

  constructor(collections: Pick<Collections, 'webhooks' | 'signingSecrets' | 'deliveries'>) {
    this.#webhooks = collections.webhooks;
    this.#secrets = collections.signingSecrets;
    this.#deliveries = collections.deliveries;
  }

  insert(webhook: Webhook): Promise<void> {
    const { id, ownerId, createdAt } = webhook;
    return guarded(async () => {
      await this.#webhooks.insertOne({ _id: id, ownerId, createdAt, record: JSON.stringify(webhook) });
    });
  }

  list(ownerId: string): Promise<Webhook[]> {
    return guarded(async () => {
      const found = await this.#webhooks.find({ ownerId }).sort({ createdAt: 1, _id: 1 }).toArray();
      return found.map(({ record }) => JSON.parse(record) as Webhook);
    });
  }

  remove(ownerId: string, id: string): Promise<boolean> {
    return guarded(async () => (await this.#webhooks.deleteOne({ _id: id, ownerId })).deletedCount === 1);
  }

  signingSecret(ownerId: string, fresh: string): Promise<string> {
    return upserting(async () => {
      const written = await this.#secrets.findOneAndUpdate(
        { _id: ownerId },
        { $setOnInsert: { secret: fresh } },
        { upsert: true, returnDocument: 'after' },
      );
      if (written === null) throw unavailable('a signing secret was not written');
      return written.secret;
    });
  }

  replaceSigningSecret(ownerId: string, secret: string): Promise<void> {
    return upserting(async () => {
      await this.#secrets.updateOne({ _id: ownerId }, { $set: { secret } }, { upsert: true });
    });
  }

  insertDeliveries(deliveries: readonly WebhookDelivery[]): Promise<ReadonlySet<string>> {
    const fresh = new Map(deliveries.map((delivery) => [delivery.id, documentOf(delivery)]));
    return guarded(async () => {
      for (const { _id } of await insertNew(this.#deliveries, [...fresh.values()])) fresh.delete(_id);
      return new Set(fresh.keys());
    });
  }

  getDelivery(id: string): Promise<WebhookDelivery | null> {
    return guarded(async () => {
      const found = await this.#deliveries.findOne({ _id: id });
      return found && deliveryOf(found);
    });
  }

  dueDeliveries(now: number, limit: number): Promise<WebhookDelivery[]> {
    return guarded(async () => {
      const found = await this.#deliveries
        .find({ state: 'pending', nextAt: { $lte: now } })
        .sort({ nextAt: 1, _id: 1 })
        .limit(limit)
        .toArray();
      return found.map(deliveryOf);
    });
  }

  commitDelivery(next: WebhookDelivery): Promise<boolean> {
    const { state, nextAt, revision } = next;
    return guarded(async () => {
      const { matchedCount } = await this.#deliveries.updateOne(
        { _id: next.id, revision: revision - 1 },
        { $set: { state, nextAt, revision, record: JSON.stringify(next) } },
      );
      return matchedCount === 1;
    });
  }

  listDeliveries(
    filter: { ownerId: string; taskId?: string | undefined; webhookId?: string | undefined },
    page: { limit: number; before?: string | undefined },
  ): Promise<WebhookDelivery[]> {
    const { ownerId, taskId, webhookId } = filter;
    return guarded(async () => {
      const wanted: Filter<DeliveryDocument> = {
        ownerId,
        ...(taskId === undefined ? {} : { taskId }),
        ...(webhookId === undefined ? {} : { webhookId }),
      };
      if (page.before !== undefined) {
        const last = await this.#deliveries.findOne({ _id: page.before });
        // Pruned in the meantime, and all that is older with it.
        if (last === null) return [];
        wanted.createdAt = { $lte: last.createdAt };
        wanted.$or = [{ createdAt: { $lt: last.createdAt } }, { _id: { $lt: last._id } }];
      }
      const found = await this.#deliveries
        .find(wanted)
        .sort({ createdAt: -1, _id: -1 })
        .limit(page.limit)
        .toArray();
      return found.map(deliveryOf);
    });
  }

  removeDeliveriesOf(taskIds: readonly string[]): Promise<void> {
    return guarded(async () => {
      await this.#deliveries.deleteMany({
        taskId: { $in: [...taskIds] },
        state: { $in: ['delivered', 'failed'] },
      });
    });
  }

  pruneDeliveries(before: number): Promise<void> {
    return guarded(async () => {
      await this.#deliveries.deleteMany({
        state: { $in: ['delivered', 'failed'] },
        createdAt: { $lt: before },
      });
    });
  }
}

function documentOf(delivery: WebhookDelivery): DeliveryDocument {
  const { id, ownerId, webhookId, taskId, state, nextAt, revision, createdAt } = delivery;
  return {
    _id: id,
    ownerId,
    webhookId,
    taskId,
    state,
    nextAt,
    revision,
    createdAt,
    record: JSON.stringify(delivery),
  };
}

function deliveryOf({ record }: DeliveryDocument): WebhookDelivery {
  return JSON.parse(record) as WebhookDelivery;
}
