// What `GET /api/scheduler/decisions` accepts.

import Joi from 'joi';

export interface DecisionsQuery {
  after?: string;
  limit: number;
}

export const decisionsSchema = Joi.object<DecisionsQuery>({
  after: Joi.string()
    .pattern(/^\d{1,16}$/)
    .messages({ 'string.pattern.base': '{{#label}} must be the "id" of an entry' }),
  limit: Joi.number().integer().min(1).max(10_000).default(1_000),
});
