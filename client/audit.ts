// Who did what over the REST API, for admins.

import type { AuditListReply } from '../shared/contracts/audit.ts';
import type { Transport } from './transport.ts';

export interface AuditQuestion {
  /** Username. */
  readonly actor?: string | undefined;
  /** One or several with commas, or a first word for all of its kind: `task`, `user.change,worker`. */
  readonly action?: string | undefined;
  readonly target?: string | undefined;
  /** `-15m`, `-2h`, `now` or a time. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** 1 to 1,000; the API's default is 100. */
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

export interface AuditCalls {
  /** Newest first. */
  listAudit(
    question?: AuditQuestion,
    options?: { signal?: AbortSignal | undefined },
  ): Promise<AuditListReply>;
}

export function auditCalls(transport: Transport): AuditCalls {
  return {
    listAudit: (question = {}, { signal } = {}) =>
      transport.json({ method: 'GET', path: '/api/audit', query: { ...question }, signal }),
  };
}
