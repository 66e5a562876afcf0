// What the calls about webhooks answer, as schemas of the document.

import Joi from 'joi';
import { DELIVERY_STATES, WEBHOOK_EVENTS } from '../model/webhook.ts';
import { amount, list, nextCursor, oneOf, reply, textOrNull, time, timeOrNull, whole } from './reply.ts';
import type {
  DeliveryBody,
  DeliveryListReply,
  DeliveryTryBody,
  SigningSecretReply,
  WebhookBody,
  WebhookListReply,
  WebhookTargetBody,
} from './webhooks.ts';

const target = { url: Joi.string(), events: list(oneOf(WEBHOOK_EVENTS)) };
export const targetReplySchema = reply<WebhookTargetBody>('WebhookTarget', target);

export const webhookReplySchema = reply<WebhookBody>('Webhook', {
  ...target,
  webhook_id: Joi.string(),
  created_at: time,
});
export const webhookListReplySchema = reply<WebhookListReply>('WebhookList', {
  webhooks: list(webhookReplySchema),
});

export const signingSecretReplySchema = reply<SigningSecretReply>('SigningSecret', {
  signing_secret: Joi.string().description('`whsec_` and base64, as in the Standard Webhooks specification.'),
});

export const deliveryReplySchema = reply<DeliveryBody>('Delivery', {
  delivery_id: Joi.string(),
  webhook_id: textOrNull.description('Null for the webhook that a task names itself.'),
  task_id: Joi.string(),
  event: oneOf(WEBHOOK_EVENTS),
  url: Joi.string(),
  state: oneOf(DELIVERY_STATES),
  tries: list(
    reply<DeliveryTryBody>('DeliveryTry', {
      at: time,
      took_ms: amount,
      status: whole.allow(null),
      error: textOrNull,
    }),
  ),
  next_try_at: timeOrNull.description('Null when it is over.'),
  created_at: time,
});
export const deliveryListReplySchema = reply<DeliveryListReply>('DeliveryList', {
  deliveries: list(deliveryReplySchema),
  next_cursor: nextCursor,
});
