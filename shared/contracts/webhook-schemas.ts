// What the calls on webhooks accept, as Joi schemas.

import Joi from 'joi';
import { taskIdSchema, webhookTarget } from './schemas.ts';

export const newWebhookSchema = webhookTarget.required();

const id = Joi.string().max(64);

export const webhookIdParams = Joi.object<{ id: string }>({ id: id.required() });

export interface DeliveryListQuery {
  task?: string;
  webhook?: string;
  limit: number;
  cursor?: string;
}

export const deliveryListSchema = Joi.object<DeliveryListQuery>({
  task: taskIdSchema.optional(),
  webhook: id,
  limit: Joi.number().integer().min(1).max(1_000).default(50),
  cursor: id,
});
