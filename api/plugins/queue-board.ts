// /queues: Bull Board for admins, to look at and not to change. A browser that opens an address sends no token by
// itself, so an admin is given a cookie that holds for this path alone. It must never be taken for a token elsewhere.

import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import Boom from '@hapi/boom';
import type { Lifecycle, Plugin, Request, RouteOptions, Server } from '@hapi/hapi';
import { errorReplySchema } from '../../shared/contracts/account-reply-schemas.ts';
import type { QueueViews } from '../../shared/ports/queue.ts';
import { documented } from '../openapi/call-doc.ts';
import { BoardQueues } from '../queue-board/board-queues.ts';
import { boardPage, ReadOnlyAdapter } from '../queue-board/read-only-adapter.ts';
import type { AuditTrail } from '../services/audit-trail.ts';
import { type BoardTickets, SIGN_IN, TICKET_SECONDS } from '../services/board-tickets.ts';
import type { ClusterView } from '../services/cluster-view.ts';
import { originOf } from './audit.ts';
import { principalOf, sessionOf } from './auth.ts';

export interface QueueBoardOptions {
  readonly boardTickets: BoardTickets;
  readonly queueViews: QueueViews;
  readonly view: ClusterView;
  readonly trail: AuditTrail;
}

const BOARD = '/queues';
const COOKIE = 'cloudai-queues';
const STRATEGY = 'queue-board';

/** The two style elements that its page draws, always the same: the logo of Redis, a hidden scroll bar of a list. */
const STYLE_ELEMENTS =
  "'sha256-r2N1TB/gHbBtBZFKg7ejmq1acVSREzucTAEw6ga4hoU=' 'sha256-kLmvWqfziFavKtqHqRsb90f006UAK2Dmd0It5Iz2KFA='";
/** What the board needs beyond files of its own: those styles, style attributes, and workers that colour JSON. */
const BOARD_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "worker-src 'self'",
  `style-src 'self' ${STYLE_ELEMENTS}`,
  "style-src-attr 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "base-uri 'self'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const CLOSED = `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Queues · CloudAI</title>
<link rel="icon" href="/favicon.svg">
<h1>The queue board is closed</h1>
<p>It is for admins: ${SIGN_IN.replaceAll('"', '&quot;')}.</p>
<p><a href="/admin">To the dashboard</a></p>
</html>
`;

/** People are told in words where to sign in. */
const BOARD_REFUSAL = { content: { 'application/json': errorReplySchema, 'text/html': 'text' } } as const;

export const queueBoardPlugin: Plugin<QueueBoardOptions> = {
  name: 'queue-board',
  register: async (server: Server, { boardTickets, queueViews, view, trail }: QueueBoardOptions) => {
    server.auth.scheme(STRATEGY, () => ({
      authenticate: async (request, h) => {
        const ticket: unknown = request.state[COOKIE];
        const user = await boardTickets.identify(
          request.raw.req.headers.authorization,
          typeof ticket === 'string' ? ticket : undefined,
        );
        return h.authenticated({ credentials: { user } });
      },
    }));
    server.auth.strategy(STRATEGY, STRATEGY);

    server.route({
      method: 'POST',
      path: '/api/auth/queue-board',
      options: {
        ...documented({
          id: 'openQueueBoard',
          tag: 'administration',
          summary: 'Lets this browser open `/queues` for 15 minutes.',
          replies: { 204: { headers: { 'Set-Cookie': { description: 'For `/queues` alone.' } } } },
          refusals: [403],
        }),
      },
      handler: async (request, h) => {
        const deed = { action: 'queue_board.open' } as const;
        const ticket = await trail.note(originOf(request), deed, () =>
          boardTickets.issue(principalOf(request), sessionOf(request).signInId),
        );
        return h
          .response()
          .code(204)
          .header('cache-control', 'no-store')
          .state(COOKIE, ticket, {
            path: BOARD,
            ttl: TICKET_SECONDS * 1_000,
            isHttpOnly: true,
            isSameSite: 'Strict',
            isSecure: cameOverHttps(request),
            encoding: 'none',
          });
      },
    });

    const options: RouteOptions = {
      // The page itself; what it asks for is no call of the API.
      ...documented({
        id: 'showQueueBoard',
        tag: 'administration',
        summary: 'Bull Board: the queues in Redis as they stand, to look at.',
        replies: { 200: { content: { 'text/html': 'text' } }, 401: BOARD_REFUSAL, 403: BOARD_REFUSAL },
        refusals: [404],
      }),
      auth: STRATEGY,
      state: { parse: true, failAction: 'ignore' },
      ext: { onPreResponse: { method: dress } },
    };
    const adapter = new ReadOnlyAdapter(async (read) => {
      await queues.renew();
      return queueViews.within(read);
    });
    adapter.setBasePath(BOARD);
    const board = createBullBoard({
      queues: [],
      serverAdapter: adapter,
      options: {
        uiConfig: {
          boardTitle: 'CloudAI queues',
          miscLinks: [{ text: 'Dashboard', url: '/admin' }],
          hideDocsLink: true,
          // It would ask Redis for all its connections once for each queue.
          showWorkers: false,
        },
      },
    });
    const queues = new BoardQueues({
      queueViews,
      view,
      board: {
        add: ({ handle }) => {
          const queue = handle as ConstructorParameters<typeof BullMQAdapter>[0];
          board.addQueue(new BullMQAdapter(queue, { readOnlyMode: true }));
        },
        remove: (name) => board.removeQueue(name),
      },
    });
    await server.register({ plugin: adapter.registerPlugin(), options }, { routes: { prefix: BOARD } });
    server.ext('onPostStop', () => queues.close());

    // Whatever else stands below the path is the board's as well, and as closed.
    server.route({
      method: 'GET',
      path: `${BOARD}/{path*}`,
      options,
      handler: () => {
        throw Boom.notFound();
      },
    });
    server.route({
      method: '*',
      path: `${BOARD}/{path*}`,
      options: { ...options, payload: { parse: false, output: 'stream' } },
      handler: () => {
        throw Boom.methodNotAllowed('the queue board is to look at: it takes GET alone', null, ['GET']);
      },
    });
  },
};

/** As the browser saw it: TLS may end at a proxy. */
function cameOverHttps({ app, headers }: Request): boolean {
  return app.isHttpsInFront || String(headers.origin ?? '').startsWith('https:');
}

/** After faults have become answers: pages get the board's policy, and people get words instead of JSON. */
const dress: Lifecycle.Method = async (request, h) => {
  const { response } = request;
  if (response instanceof Error) return h.continue;
  const drawn = await boardPage(request);
  const isRefused = response.statusCode === 401 || response.statusCode === 403;
  const text = drawn ?? (isRefused && opensPage(request) ? CLOSED : null);
  if (text === null) {
    response.header('content-security-policy', BOARD_POLICY);
    return h.continue;
  }
  return h
    .response(text)
    .type('text/html')
    .code(response.statusCode)
    .header('content-security-policy', BOARD_POLICY)
    .header('x-request-id', request.app.requestId)
    .header('cache-control', 'no-store');
};

function opensPage({ path, headers, method }: Request): boolean {
  return method === 'get' && !path.startsWith(`${BOARD}/api`) && String(headers.accept).includes('text/html');
}
