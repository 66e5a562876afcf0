// What `GET /api/audit` accepts.

import Joi from 'joi';
import { AUDIT_ACTIONS, type AuditAction, auditActionsOf } from '../model/audit.ts';
import { momentText } from './history-schema.ts';

export interface AuditListQuery {
  actor?: string;
  action?: AuditAction[];
  target?: string;
  from?: string;
  to?: string;
  limit: number;
  cursor?: string;
}

const groups = [...new Set(AUDIT_ACTIONS.map((action) => action.split('.', 1)[0]))];

const actions = Joi.string()
  .custom((text: string, helpers) => {
    const named = text.split(',').map((word) => auditActionsOf(word.trim()));
    return named.every(({ length }) => length > 0)
      ? [...new Set(named.flat())]
      : helpers.error('action.unknown');
  })
  .messages({
    'action.unknown': `{{#label}} must be one or more, separated by commas, of ${groups.join(', ')}, or of ${AUDIT_ACTIONS.join(', ')}`,
  });

export const auditListSchema = Joi.object<AuditListQuery>({
  actor: Joi.string().max(64),
  action: actions,
  target: Joi.string().max(1_024),
  from: momentText,
  to: momentText,
  limit: Joi.number().integer().min(1).max(1_000).default(100),
  cursor: Joi.string().max(64),
});
