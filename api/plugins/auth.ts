// The `bearer` strategy: who is calling, from the Authorization header. Routes are closed unless they say
// otherwise. What someone may do is decided by the services, not here.

import type { Plugin, Request, RouteOptions, Server } from '@hapi/hapi';
import type { Principal } from '../../shared/model/user.ts';
import type { BodyRoom } from '../services/body-room.ts';
import type { RequestLimits } from '../services/request-limits.ts';
import type { RequestTurns } from '../services/request-turns.ts';
import { bearerToken, type Session, type Sessions } from '../services/sessions.ts';
import { ALSO_ANONYMOUS, admitUser, makeRoom, takeTurn } from './rate-limits.ts';

declare module '@hapi/hapi' {
  interface UserCredentials extends Principal {}
}

export interface AuthOptions {
  readonly sessions: Sessions;
  readonly requestLimits: RequestLimits;
  readonly requestTurns: RequestTurns;
  readonly bodyRoom: BodyRoom;
}

export const authPlugin: Plugin<AuthOptions> = {
  name: 'auth',
  register: (server: Server, { sessions, requestLimits, requestTurns, bodyRoom }: AuthOptions) => {
    server.auth.scheme('bearer', () => ({
      authenticate: async (request, h) => {
        const { authorization } = request.raw.req.headers;
        let session = await sessions.check(bearerToken(authorization));
        const { userId } = session.principal;
        // Before the body is read. Where a sign-in is not asked for, a refusal here would pass for none.
        if (request.auth.mode === 'required') {
          admitUser(requestLimits, request, userId);
          await takeTurn(requestTurns, request, userId);
          // Whoever lost a right while the request stood in line does nothing by it any more.
          session = await sessions.asOfNow(session);
          makeRoom(bodyRoom, request, userId);
        }
        return h.authenticated({ credentials: { user: session.principal }, artifacts: { session } });
      },
    }));
    server.auth.strategy('bearer', 'bearer');
    server.auth.default('bearer');
  },
};

/** For what shows the cluster: where that is open a sign-in is not asked for, but known when there is one. */
export function observeRoute(observeAuth: 'open' | 'required'): RouteOptions {
  return observeAuth === 'open' ? { ...ALSO_ANONYMOUS, auth: { mode: 'try' } } : {};
}

/** Who is calling. Only for routes that are not open. */
export function principalOf(request: Request): Principal {
  const user = request.auth.credentials?.user;
  if (!user) throw new Error('a route that asks who is calling is open');
  return user;
}

/** By virtue of which token, for what stays open. Only for routes that are not open. */
export function sessionOf(request: Request): Session {
  const { session } = request.auth.artifacts as { session?: Session };
  if (!session) throw new Error('a route that asks for the token is open');
  return session;
}
