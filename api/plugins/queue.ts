// /api/queue: what waits, in the order in which it is tried. Translates between the wire and the service only.

import type { Plugin, Server } from '@hapi/hapi';
import { forecastScoreBody, type QueueReply, queueEntryBody } from '../../shared/contracts/queue.ts';
import { queueReplySchema } from '../../shared/contracts/queue-reply-schemas.ts';
import { type QueueQuery, queueSchema } from '../../shared/contracts/schemas.ts';
import { documented } from '../openapi/call-doc.ts';
import type { WaitingLine } from '../services/queue/waiting-line.ts';
import { checked, queryOf } from '../validation.ts';
import { principalOf } from './auth.ts';

export interface QueueOptions {
  readonly waitingLine: WaitingLine;
}

export const queuePlugin: Plugin<QueueOptions> = {
  name: 'queue',
  register: (server: Server, { waitingLine }: QueueOptions) => {
    server.route({
      method: 'GET',
      path: '/api/queue',
      options: {
        ...documented({
          id: 'getQueue',
          tag: 'queue',
          summary: 'What waits, next first, why and until when.',
          replies: { 200: queueReplySchema },
        }),
        validate: checked({ query: queueSchema }),
      },
      handler: async (request): Promise<QueueReply> => {
        const { limit, cursor } = queryOf<QueueQuery>(request);
        const { total, entries, forecasts, next } = await waitingLine.page(principalOf(request), {
          limit,
          after: cursor,
        });
        return {
          total,
          entries: entries.map(queueEntryBody),
          forecasts: forecastScoreBody(forecasts),
          next_cursor: next && `${next.priority}.${next.id}`,
        };
      },
    });
  },
};
