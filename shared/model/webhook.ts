// Webhooks: who is told of changes of tasks, and the story of each telling.

export const WEBHOOK_EVENTS = ['queued', 'assigned', 'running', 'completed', 'failed', 'cancelled'] as const;
/** A state that a task has entered. */
export type WebhookEvent = (typeof WEBHOOK_EVENTS)[number];
/** What a webhook hears that names no events. */
export const DEFAULT_WEBHOOK_EVENTS = ['completed', 'failed', 'cancelled'] as const satisfies WebhookEvent[];

export interface WebhookTarget {
  /** http or https. */
  readonly url: string;
  readonly events: readonly WebhookEvent[];
}

/** A webhook of a user: hears of all tasks of that user. */
export interface Webhook extends WebhookTarget {
  readonly id: string;
  readonly ownerId: string;
  readonly createdAt: number;
}

export const DELIVERY_STATES = ['pending', 'delivered', 'failed'] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

export interface DeliveryTry {
  readonly at: number;
  readonly tookMs: number;
  /** HTTP status of the answer; null when there was none. */
  readonly status: number | null;
  /** In words for the user; null when it went well. */
  readonly error: string | null;
}

export interface WebhookDelivery {
  /** Follows from what is told to whom, so that it exists once however often it is made. */
  readonly id: string;
  readonly ownerId: string;
  /** Null for the webhook a task names itself. */
  readonly webhookId: string | null;
  readonly taskId: string;
  readonly event: WebhookEvent;
  readonly url: string;
  /** The body as it is sent, JSON. */
  readonly payload: string;
  readonly state: DeliveryState;
  readonly tries: readonly DeliveryTry[];
  /** When it is tried next, or was taken up to be tried plus the time that may take; milliseconds since the epoch. */
  readonly nextAt: number;
  /** Grows with every write: the compare-and-set token. Starts at 1. */
  readonly revision: number;
  readonly createdAt: number;
}
