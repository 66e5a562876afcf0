// Deliveries as records: how one comes to be and every step in its life. Pure: time and chance are handed in.
//
//            ┌── retry due, redeliver ──┐
//            ▼                          │
//   ●──► pending ──► (taken, sent) ─────┼──► delivered ──┐
//            ▲                          └──► failed ─────┤
//            └────────────── redeliver ──────────────────┘
//
// A delivery that is taken stays pending and becomes due again when the lease on it is over: whoever took it may die.

import { createHash } from 'node:crypto';
import type { DeliveryTry, Webhook, WebhookDelivery } from '../../../shared/model/webhook.ts';
import { enteredAt, type Telling, webhookPayload } from './payload.ts';

/** For a delivery that is being sent: far longer than one try may take. */
export const LEASE_MS = 60_000;
/** The newest ones; more come only of redelivering by hand. */
const TRIES_KEPT = 20;

/**
 * Follows from what is told to whom, so that two processes that make the same delivery make one record.
 * @param webhookId null for the webhook that the task names itself
 */
export function deliveryId({ task, event, attempt }: Telling, webhookId: string | null): string {
  const text = JSON.stringify([task.id, attempt, event, webhookId]);
  return `delivery-${createHash('sha256').update(text).digest('hex').slice(0, 32)}`;
}

/** The deliveries that this asks for, one for each who wants to hear it; none when the record does not bear it out. */
export function deliveriesOf(telling: Telling, webhooks: readonly Webhook[], now: number): WebhookDelivery[] {
  const { task, event } = telling;
  // Tasks of earlier releases have no field for it.
  const own = task.spec.webhook ?? null;
  const targets = [
    ...webhooks.filter(({ ownerId }) => ownerId === task.ownerId),
    ...(own === null ? [] : [{ ...own, id: null }]),
  ].filter(({ events }) => events.includes(event));
  const at = targets.length === 0 ? null : enteredAt(telling);
  if (at === null) return [];
  const payload = JSON.stringify(webhookPayload(telling, at));
  return targets.map(({ id, url }) => ({
    id: deliveryId(telling, id),
    ownerId: task.ownerId,
    webhookId: id,
    taskId: task.id,
    event,
    url,
    payload,
    state: 'pending',
    tries: [],
    nextAt: now,
    revision: 1,
    createdAt: now,
  }));
}

/** To be sent now by whoever gets this written; by others when the lease is over. */
export function taken(delivery: WebhookDelivery, now: number): WebhookDelivery {
  return { ...delivery, nextAt: now + LEASE_MS, revision: delivery.revision + 1 };
}

/** Not now. */
export function deferred(delivery: WebhookDelivery, nextAt: number): WebhookDelivery {
  return { ...delivery, nextAt, revision: delivery.revision + 1 };
}

/** At once, once more. Further tries only as far as the delivery has some left. */
export function redelivered(delivery: WebhookDelivery, now: number): WebhookDelivery {
  return { ...delivery, state: 'pending', nextAt: now, revision: delivery.revision + 1 };
}

/**
 * With what came of a try. `retryInMs` null: no further one. The record may have changed while it was tried
 * (somebody asked for a redelivery, and another copy was faster): what went well stays so.
 */
export function tried(
  delivery: WebhookDelivery,
  one: DeliveryTry,
  how: { readonly delivered: boolean; readonly retryInMs: number | null; readonly now: number },
): WebhookDelivery {
  const tries = [...delivery.tries, one].slice(-TRIES_KEPT);
  const next = { ...delivery, tries, revision: delivery.revision + 1 };
  if (how.delivered) return { ...next, state: 'delivered', nextAt: how.now };
  if (delivery.state === 'delivered') return next;
  if (how.retryInMs === null) return { ...next, state: 'failed', nextAt: how.now };
  return { ...next, state: 'pending', nextAt: how.now + how.retryInMs };
}
