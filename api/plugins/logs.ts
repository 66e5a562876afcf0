// GET /api/tasks/{id}/logs: output as text or as JSON lines, whole or followed. Streams page by page: a slow
// reader holds the reading back, a reader that goes away ends it.

import { Readable } from 'node:stream';
import type { Plugin, Request, Server } from '@hapi/hapi';
import { logLineReplySchema } from '../../shared/contracts/file-reply-schemas.ts';
import { type LogsQuery, logsSchema, taskIdParams } from '../../shared/contracts/schemas.ts';
import type { Log } from '../../shared/platform/log.ts';
import { cutStuckReader } from '../http/slow-peers.ts';
import type { OpenSessions } from '../live/open-sessions.ts';
import { documented } from '../openapi/call-doc.ts';
import { OutputText } from '../services/output/output-page.ts';
import type { OutputReading, TaskOutput } from '../services/output/task-output.ts';
import { checked, idOf, queryOf } from '../validation.ts';
import { principalOf, sessionOf } from './auth.ts';

export interface LogsOptions {
  readonly output: TaskOutput;
  readonly open: OpenSessions;
  /** Ends all open readings. */
  readonly stopping: AbortSignal;
  readonly log: Log;
  /** A reader that takes nothing for so long is cut. */
  readonly peerIdleMs?: number | undefined;
}

const NDJSON = 'application/x-ndjson';

export const logsPlugin: Plugin<LogsOptions> = {
  name: 'logs',
  register: (server: Server, { output, open, stopping, log, peerIdleMs }: LogsOptions) => {
    server.route({
      method: 'GET',
      path: '/api/tasks/{id}/logs',
      options: {
        ...documented({
          id: 'getTaskLogs',
          tag: 'output',
          summary: 'What a task has printed, whole or followed.',
          notes:
            'Text as a terminal shows it, or with `format=ndjson` (or that type in Accept) a line of JSON for each line of output. `follow` goes on until the task ends; who was cut goes on with `from`.',
          replies: { 200: { content: { 'text/plain': 'text', 'application/x-ndjson': logLineReplySchema } } },
          refusals: [404],
        }),
        validate: checked({ params: taskIdParams, query: logsSchema }),
        // A silent task must not cost its reader the connection.
        timeout: { socket: false },
      },
      handler: async (request, h) => {
        const { format, ...query } = queryOf<LogsQuery>(request);
        const end = new AbortController();
        const stop = () => end.abort();
        stopping.addEventListener('abort', stop);
        // Who is cut off while following asks anew from the next line, and is told then why that may no longer be.
        const forget = query.follow
          ? open.add({ caller: sessionOf(request), end: stop, again: stop })
          : () => undefined;
        const closed = () => {
          forget();
          stopping.removeEventListener('abort', stop);
          end.abort();
        };
        if (stopping.aborted) end.abort();
        try {
          const pages = await output.open(principalOf(request), idOf(request), {
            ...query,
            signal: end.signal,
          });
          const json = format === undefined ? wantsJson(request) : format === 'ndjson';
          cutStuckReader(request.raw, peerIdleMs);
          const body = Readable.from(encode(pages, json, request), { objectMode: false });
          body.once('close', closed);
          // A quiet reading cannot be destroyed while it waits, so a reader that left has to wake it.
          request.raw.res.once('close', closed);
          body.once('error', (error) => log.warn({ err: error }, 'output cut off'));
          return h.response(body).type(json ? NDJSON : 'text/plain; charset=utf-8');
        } catch (error) {
          closed();
          throw error;
        }
      },
    });
  },
};

function wantsJson(request: Request): boolean {
  return String(request.headers.accept ?? '').includes(NDJSON);
}

async function* encode(pages: OutputReading, json: boolean, request: Request): AsyncGenerator<Buffer, void> {
  // A follower of a task that has said nothing yet must know at once that it is connected.
  request.raw.res.flushHeaders();
  const text = new OutputText();
  for await (const page of pages) {
    if (json) yield page.ndjson();
    else yield* text.take(page);
  }
}
