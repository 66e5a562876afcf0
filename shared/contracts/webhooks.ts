// Webhooks on the wire: what users register, what they see of deliveries, and the body that is sent to them.

import type { FailureReason } from '../model/task.ts';
import type { DeliveryState, DeliveryTry, Webhook, WebhookDelivery, WebhookEvent } from '../model/webhook.ts';

export interface WebhookTargetBody {
  url: string;
  events: WebhookEvent[];
}

export interface WebhookBody extends WebhookTargetBody {
  webhook_id: string;
  created_at: string;
}

export interface WebhookListReply {
  webhooks: WebhookBody[];
}

export interface SigningSecretReply {
  /** `whsec_` and base64, as in the Standard Webhooks specification. */
  signing_secret: string;
}

export interface DeliveryTryBody {
  at: string;
  took_ms: number;
  status: number | null;
  error: string | null;
}

export interface DeliveryBody {
  delivery_id: string;
  /** Null for the webhook that a task names itself. */
  webhook_id: string | null;
  task_id: string;
  event: WebhookEvent;
  url: string;
  state: DeliveryState;
  tries: DeliveryTryBody[];
  /** Null when it is over. */
  next_try_at: string | null;
  created_at: string;
}

export interface DeliveryListReply {
  deliveries: DeliveryBody[];
  next_cursor: string | null;
}

/** What is sent. Small and without secrets: whoever wants more asks the API. */
export interface WebhookPayload {
  type: `task.${WebhookEvent}`;
  /** When the task entered the state. */
  timestamp: string;
  data: {
    task_id: string;
    name: string;
    tag: string;
    user: string;
    docker_image: string;
    status: WebhookEvent;
    attempt: number;
    worker_id: string | null;
    reason: FailureReason | null;
    exit_code: number | null;
    message: string | null;
    submitted_at: string;
    started_at: string | null;
    finished_at: string | null;
  };
}

export function webhookBody(webhook: Webhook): WebhookBody {
  return {
    webhook_id: webhook.id,
    url: webhook.url,
    events: [...webhook.events],
    created_at: new Date(webhook.createdAt).toISOString(),
  };
}

export function deliveryBody(delivery: WebhookDelivery): DeliveryBody {
  return {
    delivery_id: delivery.id,
    webhook_id: delivery.webhookId,
    task_id: delivery.taskId,
    event: delivery.event,
    url: delivery.url,
    state: delivery.state,
    tries: delivery.tries.map(tryBody),
    next_try_at: delivery.state === 'pending' ? new Date(delivery.nextAt).toISOString() : null,
    created_at: new Date(delivery.createdAt).toISOString(),
  };
}

function tryBody({ at, tookMs, status, error }: DeliveryTry): DeliveryTryBody {
  return { at: new Date(at).toISOString(), took_ms: Math.round(tookMs), status, error };
}
