// What `GET /api/audit` answers, as a schema of the document.

import Joi from 'joi';
import { AUDIT_ACTIONS, AUDIT_OUTCOMES } from '../model/audit.ts';
import type { AuditActorBody, AuditEntryBody, AuditListReply } from './audit.ts';
import { fields, list, nextCursor, oneOf, reply, text, textOrNull, time } from './reply.ts';

const actor = fields<AuditActorBody>({
  user_id: Joi.string(),
  username: Joi.string(),
  token: fields<NonNullable<AuditActorBody['token']>>({ token_id: Joi.string(), name: text })
    .allow(null)
    .description('The API token that was used; null for a sign-in.'),
});

export const auditListReplySchema = reply<AuditListReply>('AuditList', {
  entries: list(
    reply<AuditEntryBody>('AuditEntry', {
      audit_id: Joi.string(),
      at: time,
      actor: actor.allow(null).description('Null: nobody who is known.'),
      address: textOrNull,
      request_id: textOrNull.description('The `x-request-id` of the answer.'),
      action: oneOf(AUDIT_ACTIONS),
      target: textOrNull,
      outcome: oneOf(AUDIT_OUTCOMES),
      code: textOrNull.description('Of the error; null when it was done.'),
      details: Joi.object(),
    }),
  ),
  next_cursor: nextCursor,
});
