// Who did what, on the wire. Like http.ts a browser may import this file.

import type { AuditAction, AuditEntry, AuditOutcome } from '../model/audit.ts';

export interface AuditActorBody {
  user_id: string;
  username: string;
  /** The API token that was used; null for a sign-in. */
  token: { token_id: string; name: string } | null;
}

export interface AuditEntryBody {
  audit_id: string;
  at: string;
  /** Null: nobody who is known. */
  actor: AuditActorBody | null;
  address: string | null;
  /** The `x-request-id` of the answer, and of the lines in the log of the API. */
  request_id: string | null;
  action: AuditAction;
  target: string | null;
  outcome: AuditOutcome;
  /** Code of the error; null when it was done. */
  code: string | null;
  details: Record<string, unknown>;
}

export interface AuditListReply {
  entries: AuditEntryBody[];
  /** Pass as `cursor` for the next page; null at the end. */
  next_cursor: string | null;
}

export function auditEntryBody(entry: AuditEntry): AuditEntryBody {
  const { id, at, actor, address, requestId, action, target, outcome, code, details } = entry;
  return {
    audit_id: id,
    at: new Date(at).toISOString(),
    actor: actor && {
      user_id: actor.userId,
      username: actor.username,
      token: actor.token && { token_id: actor.token.id, name: actor.token.name },
    },
    address,
    request_id: requestId,
    action,
    target,
    outcome,
    code,
    details: { ...details },
  };
}
