// What users do with webhooks: register and remove them, their signing secret, deliveries and sending one again.
// What is not yours does not exist, also for admins. Knows nothing of HTTP.

import { AppError } from '../../../shared/errors.ts';
import type { Principal } from '../../../shared/model/user.ts';
import type { Webhook, WebhookDelivery, WebhookTarget } from '../../../shared/model/webhook.ts';
import { newId } from '../../../shared/platform/ids.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import type { WebhookStore } from '../../../shared/ports/store.ts';
import { requireRight } from '../rights.ts';
import type { AddressRules } from './address-rules.ts';
import { redelivered } from './deliveries.ts';
import type { OwnerWebhooks } from './owner-webhooks.ts';
import type { SigningSecrets } from './signing-secrets.ts';

const MAX_PER_USER = 20;
/** Of writers racing for one record each round has a winner. */
const MAX_RACES = 10;

export interface WebhooksParts {
  readonly store: WebhookStore;
  readonly owners: OwnerWebhooks;
  readonly secrets: SigningSecrets;
  readonly rules: AddressRules;
  readonly clock: Clock;
  /** There is something to send. */
  readonly onDue: () => void;
}

export interface DeliveryQuery {
  readonly taskId?: string | undefined;
  readonly webhookId?: string | undefined;
  readonly limit: number;
  readonly before?: string | undefined;
}

export class Webhooks {
  readonly #parts: WebhooksParts;

  constructor(parts: WebhooksParts) {
    this.#parts = parts;
  }

  /** What is wrong with the url of a webhook, as far as its text tells; null when nothing is. */
  faultOf(url: string): string | null {
    if (!URL.canParse(url)) return 'is not an address that can be called';
    const refusal = this.#parts.rules.refusalOfUrl(new URL(url));
    return refusal === null ? null : `must not lead to ${refusal}`;
  }

  /** @throws AppError `invalid_request` for an address that must not be called; `conflict` when there are too many */
  async create(owner: Principal, { url, events }: WebhookTarget): Promise<Webhook> {
    requireRight(owner, 'webhook.create');
    const { store, owners, clock } = this.#parts;
    const fault = this.faultOf(url);
    if (fault !== null) {
      const message = `"url" ${fault}`;
      throw new AppError('invalid_request', message, { details: [{ field: 'url', message }] });
    }
    if ((await store.list(owner.userId)).length >= MAX_PER_USER) {
      throw new AppError('conflict', `you have ${MAX_PER_USER} webhooks: delete one you do not need`);
    }
    const webhook: Webhook = {
      id: newId('webhook'),
      ownerId: owner.userId,
      url,
      events,
      createdAt: clock.now(),
    };
    await store.insert(webhook);
    owners.forget(owner.userId);
    return webhook;
  }

  list(owner: Principal): Promise<Webhook[]> {
    return this.#parts.store.list(owner.userId);
  }

  /** What is still to be sent to it is not sent. @throws AppError `not_found` */
  async remove(owner: Principal, id: string): Promise<void> {
    requireRight(owner, 'webhook.delete');
    const { store, owners } = this.#parts;
    const removed = await store.remove(owner.userId, id);
    owners.forget(owner.userId);
    if (!removed) throw new AppError('not_found', `you have no webhook ${id}; GET /api/webhooks lists yours`);
  }

  async signingSecret(owner: Principal): Promise<string> {
    requireRight(owner, 'webhook.see_secret');
    return this.#parts.secrets.of(owner.userId);
  }

  async rotateSigningSecret(owner: Principal): Promise<string> {
    requireRight(owner, 'webhook.rotate_secret');
    return this.#parts.secrets.rotate(owner.userId);
  }

  /** Newest first. */
  async deliveries(
    owner: Principal,
    { taskId, webhookId, limit, before }: DeliveryQuery,
  ): Promise<{ deliveries: WebhookDelivery[]; next: string | null }> {
    const filter = { ownerId: owner.userId, taskId, webhookId };
    const found = await this.#parts.store.listDeliveries(filter, { limit: limit + 1, before });
    const deliveries = found.slice(0, limit);
    return { deliveries, next: found.length > limit ? (deliveries.at(-1)?.id ?? null) : null };
  }

  /** Sends it again, at once, whatever came of it so far. @throws AppError `not_found` */
  async redeliver(owner: Principal, id: string): Promise<WebhookDelivery> {
    requireRight(owner, 'webhook.redeliver');
    const { store, clock, onDue } = this.#parts;
    for (let race = 0; race < MAX_RACES; race += 1) {
      const delivery = await store.getDelivery(id);
      if (!delivery || delivery.ownerId !== owner.userId) {
        throw new AppError(
          'not_found',
          `you have no delivery ${id}; GET /api/webhooks/deliveries lists yours`,
        );
      }
      const next = redelivered(delivery, clock.now());
      if (await store.commitDelivery(next)) {
        onDue();
        return next;
      }
    }
    throw new AppError('conflict', 'the delivery is being sent right now; try again', { retryable: true });
  }
}
