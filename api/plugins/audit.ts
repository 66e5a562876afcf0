// /api/audit: who did what, for admins. Also: from where and by whom a request came, for those who write it down.

import type { Plugin, Request, Server } from '@hapi/hapi';
import { type AuditListReply, auditEntryBody } from '../../shared/contracts/audit.ts';
import { auditListReplySchema } from '../../shared/contracts/audit-reply-schemas.ts';
import { type AuditListQuery, auditListSchema } from '../../shared/contracts/audit-schema.ts';
import { parseMoment } from '../../shared/contracts/history.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import { documented } from '../openapi/call-doc.ts';
import type { AuditPages } from '../services/audit-pages.ts';
import type { Origin } from '../services/audit-trail.ts';
import type { Session } from '../services/sessions.ts';
import { checked, queryOf } from '../validation.ts';
import { principalOf } from './auth.ts';

export interface AuditOptions {
  readonly auditPages: AuditPages;
  readonly clock: Clock;
}

export const auditPlugin: Plugin<AuditOptions> = {
  name: 'audit',
  register: (server: Server, { auditPages, clock }: AuditOptions) => {
    server.route({
      method: 'GET',
      path: '/api/audit',
      options: {
        ...documented({
          id: 'listAudit',
          tag: 'administration',
          summary: 'Who did what, newest first.',
          replies: { 200: auditListReplySchema },
          refusals: [403],
        }),
        validate: checked({ query: auditListSchema }),
      },
      handler: async (request): Promise<AuditListReply> => {
        const { actor, action, target, from, to, limit, cursor } = queryOf<AuditListQuery>(request);
        const { entries, next } = await auditPages.list(principalOf(request), {
          actor,
          actions: action,
          target,
          from: momentOf(from, clock),
          to: momentOf(to, clock),
          limit,
          before: cursor,
        });
        return { entries: entries.map(auditEntryBody), next_cursor: next };
      },
    });
  },
};

function momentOf(text: string | undefined, clock: Clock): number | undefined {
  return text === undefined ? undefined : (parseMoment(text, clock.now()) ?? undefined);
}

export function originOf(request: Request): Origin {
  const { session } = (request.auth.artifacts ?? {}) as { session?: Session };
  return originOfSession(session ?? null, request.app.address, request.app.requestId);
}

/** Of what comes by other ways than hapi. */
export function originOfSession(session: Session | null, address: string, requestId: string): Origin {
  if (session === null) return { actor: null, address, requestId };
  const { principal, tokenId, tokenName } = session;
  return {
    actor: {
      userId: principal.userId,
      username: principal.username,
      token: tokenId === null ? null : { id: tokenId, name: tokenName ?? '' },
    },
    address,
    requestId,
  };
}
