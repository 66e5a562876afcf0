// The audit log page by page, and what is new in it. Holds a page, and the ids of the last moments.

import type { AuditQuestion } from '../../client/audit.ts';
import type { Client } from '../../client/client.ts';
import type { AuditEntryBody, AuditListReply } from '../../shared/contracts/audit.ts';

/** The most the API gives in one page. */
const PAGE = 1_000;
/** An entry is in the log within a second of what it tells of; with several copies of the API they come in any order. */
const OVERLAP_MS = 10_000;

/** Newest first, until there were `limit` entries or no more. There is always a first page. */
export async function* auditPages(
  client: Pick<Client, 'listAudit'>,
  question: AuditQuestion,
  limit: number,
  signal: AbortSignal,
): AsyncGenerator<AuditListReply> {
  let left = limit;
  let cursor: string | null = null;
  do {
    const page: AuditListReply = await client.listAudit(
      { ...question, limit: Math.min(PAGE, left), cursor: cursor ?? undefined },
      { signal },
    );
    left -= page.entries.length;
    cursor = page.next_cursor;
    yield page;
  } while (cursor !== null && left > 0);
}

export class AuditFeed {
  readonly #client: Pick<Client, 'listAudit'>;
  readonly #question: AuditQuestion;
  readonly #first: number;
  /** Ids that were given already and may be found again. */
  #given: ReadonlySet<string> = new Set();
  #newest: string | null = null;

  /** @param first so many entries at most that are there already */
  constructor(client: Pick<Client, 'listAudit'>, question: AuditQuestion, first: number) {
    this.#client = client;
    this.#question = question;
    this.#first = first;
  }

  /** What was not given yet, oldest first. */
  async fresh(signal: AbortSignal): Promise<AuditEntryBody[]> {
    const since = this.#newest === null ? null : Date.parse(this.#newest) - OVERLAP_MS;
    const question =
      since === null ? this.#question : { ...this.#question, from: new Date(since).toISOString() };
    const limit = this.#newest === null ? this.#first : Number.POSITIVE_INFINITY;
    const found: AuditEntryBody[] = [];
    for await (const { entries } of auditPages(this.#client, question, limit, signal)) found.push(...entries);
    const fresh = found.filter(({ audit_id }) => !this.#given.has(audit_id)).reverse();
    this.#newest = found[0]?.at ?? this.#newest;
    this.#given = new Set(found.map(({ audit_id }) => audit_id));
    return fresh;
  }
}
