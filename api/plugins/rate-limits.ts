// Lets requests in or refuses them by how many their caller makes, and tells every caller in headers what is left. A
// request of a user is counted as soon as it is known whose it is, before its body is read; one of nobody by its address.
// What is let in waits for its turn.

import type { Plugin, Request, RouteOptions, Server } from '@hapi/hapi';
import type { BodyRoom } from '../services/body-room.ts';
import { networkOf } from '../services/network-of.ts';
import {
  type Admission,
  LimitReached,
  type RequestLimits,
  WINDOW_SECONDS,
} from '../services/request-limits.ts';
import type { RequestTurns } from '../services/request-turns.ts';

declare module '@hapi/hapi' {
  interface RequestApplicationState {
    admission?: Admission | null;
  }
  interface PluginSpecificConfiguration {
    'rate-limits'?: { readonly anonymous?: true; readonly reads?: true };
  }
}

export interface RateLimitsOptions {
  readonly requestLimits: RequestLimits;
  readonly requestTurns: RequestTurns;
}

/** For routes that need no sign-in and cost something: who has one is counted as a user there, too. */
export const ALSO_ANONYMOUS: Pick<RouteOptions, 'plugins'> = {
  plugins: { 'rate-limits': { anonymous: true } },
};
/** For a POST that changes nothing. */
export const ONLY_READS: Pick<RouteOptions, 'plugins'> = { plugins: { 'rate-limits': { reads: true } } };

export const rateLimitsPlugin: Plugin<RateLimitsOptions> = {
  name: 'rate-limits',
  register: (server: Server, { requestLimits, requestTurns }: RateLimitsOptions) => {
    const admitHere = async (request: Request): Promise<void> => {
      const { settings } = request.route;
      if (settings.plugins?.['rate-limits']?.anonymous !== true || request.app.admission !== undefined)
        return;
      const userId = request.auth.isAuthenticated ? request.auth.credentials.user?.userId : undefined;
      if (userId !== undefined) {
        admitUser(requestLimits, request, userId);
        await takeTurn(requestTurns, request, userId);
      } else {
        const { address } = request.app;
        request.app.admission = asked(request, () => requestLimits.admit('anonymous', { address }));
        await takeTurn(requestTurns, request, networkOf(address));
      }
    };

    server.ext('onPreAuth', async (request, h) => {
      // Nobody is going to be asked who is calling.
      if (request.route.settings.auth === undefined) await admitHere(request);
      return h.continue;
    });

    server.ext('onPostAuth', async (request, h) => {
      await admitHere(request);
      return h.continue;
    });

    server.ext('onPreResponse', (request, h) => {
      const { response } = request;
      const { admission } = request.app;
      if (!admission || response instanceof Error) return h.continue;
      for (const [name, value] of limitHeaders(admission)) response.header(name, value);
      return h.continue;
    });
  },
};

/** @throws AppError `rate_limited` */
export function admitUser(requestLimits: RequestLimits, request: Request, userId: string): void {
  const isRead =
    request.method === 'get' ||
    request.method === 'head' ||
    request.route.settings.plugins?.['rate-limits']?.reads;
  request.app.admission = asked(request, () => requestLimits.admit(isRead ? 'reads' : 'writes', { userId }));
}

/** Until so few of this caller are in progress that this one may be, too. @throws AppError `rate_limited` */
export function takeTurn(requestTurns: RequestTurns, request: Request, caller: string): Promise<void> {
  const { res } = request.raw;
  const { began, over, abandoned } = requestTurns.take(caller);
  res.once('finish', over);
  // Work that has begun goes on without a reader, so whoever hangs up gains nothing by it.
  res.once('close', abandoned);
  if (res.destroyed) abandoned();
  return began;
}

/** Above the size of a common request. */
const LARGE_BODY_BYTES = 64 * 1_024;

/**
 * Takes room for a body that is to be read as a whole, until it is answered.
 * @throws AppError `rate_limited`
 */
export function makeRoom(bodyRoom: BodyRoom, request: Request, userId: string): void {
  const { payload } = request.route.settings;
  const { req, res } = request.raw;
  const maxBytes = payload?.maxBytes ?? 0;
  if (request.method === 'get' || payload?.output === 'stream' || maxBytes <= LARGE_BODY_BYTES) return;
  // What is announced too large is refused unread; what is not announced may be as large as it may be.
  const announced = Number(req.headers['content-length'] ?? maxBytes);
  if (announced <= LARGE_BODY_BYTES) return;
  const give = bodyRoom.take(userId, Math.min(announced, maxBytes));
  const { socket } = req;
  const over = () => {
    give();
    socket.off('close', over);
  };
  // An answer that waits behind another one does not hear of the end of its connection.
  socket.once('close', over);
  res.once('finish', over);
  res.once('close', over);
  if (socket.destroyed || res.destroyed) over();
}

/** A refusal shows in the headers, too. */
function asked(request: Request, admit: () => Admission | null): Admission | null {
  try {
    return admit();
  } catch (error) {
    if (error instanceof LimitReached) request.app.admission = error.admission;
    throw error;
  }
}

/** After draft-ietf-httpapi-ratelimit-headers-11: what is allowed in a window, what is left of it and until when. */
export function limitHeaders({ kind, verdict }: Admission): [name: string, value: string][] {
  const { limit, remaining, resetSeconds } = verdict;
  return [
    ['ratelimit-policy', `"${kind}";q=${limit};w=${WINDOW_SECONDS}`],
    ['ratelimit', `"${kind}";r=${remaining};t=${resetSeconds}`],
  ];
}
