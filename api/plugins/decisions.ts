// GET /api/scheduler/decisions: what the scheduler saw and decided, as JSON lines, for admins. Streams page by page: a
// slow reader holds the reading back.

import { Readable } from 'node:stream';
import type { Plugin, Server } from '@hapi/hapi';
import { decisionEntrySchema } from '../../shared/contracts/cluster-reply-schemas.ts';
import { type DecisionsQuery, decisionsSchema } from '../../shared/contracts/decision-schema.ts';
import type { Log } from '../../shared/platform/log.ts';
import type { DecisionEntry } from '../../shared/ports/decision-log.ts';
import { documented } from '../openapi/call-doc.ts';
import type { DecisionPages } from '../services/decision-pages.ts';
import { checked, queryOf } from '../validation.ts';
import { principalOf } from './auth.ts';

export interface DecisionsOptions {
  readonly decisionPages: DecisionPages;
  readonly log: Log;
}

export const decisionsPlugin: Plugin<DecisionsOptions> = {
  name: 'decisions',
  register: (server: Server, { decisionPages, log }: DecisionsOptions) => {
    server.route({
      method: 'GET',
      path: '/api/scheduler/decisions',
      options: {
        ...documented({
          id: 'listDecisions',
          tag: 'administration',
          summary: 'What the scheduler saw and decided, one entry on each line.',
          replies: { 200: { content: { 'application/x-ndjson': decisionEntrySchema } } },
          refusals: [403, 404],
        }),
        validate: checked({ query: decisionsSchema }),
      },
      handler: async (request, h) => {
        const pages = await decisionPages.open(principalOf(request), queryOf<DecisionsQuery>(request));
        const body = Readable.from(encode(pages), { objectMode: false });
        body.once('error', (error) => log.warn({ err: error }, 'decisions cut off'));
        return h.response(body).type('application/x-ndjson');
      },
    });
  },
};

async function* encode(pages: AsyncIterable<DecisionEntry[]>): AsyncGenerator<Buffer, void> {
  for await (const page of pages) {
    // A record is JSON on one line already.
    yield Buffer.from(page.map(({ id, line }) => `{"id":"${id}","record":${line}}\n`).join(''));
  }
}
