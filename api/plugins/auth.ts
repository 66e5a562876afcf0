// The `bearer` strategy: who is calling, from the Authorization header. Routes are closed unless they say
// otherwise. What someone may do is decided by the services, not here.

import type { Plugin, Request, Server } from '@hapi/hapi';
import type { Principal } from '../../shared/model/user.ts';
import { bearerToken, type Session, type Sessions } from '../services/sessions.ts';

declare module '@hapi/hapi' {
  interface UserCredentials extends Principal {}
}

export interface AuthOptions {
  readonly sessions: Sessions;
}

export const authPlugin: Plugin<AuthOptions> = {
  name: 'auth',
  register: (server: Server, { sessions }: AuthOptions) => {
    server.auth.scheme('bearer', () => ({
      authenticate: async (request, h) => {
        const { authorization } = request.raw.req.headers;
        const session = await sessions.check(bearerToken(authorization));
        return h.authenticated({ credentials: { user: session.principal }, artifacts: { session } });
      },
    }));
    server.auth.strategy('bearer', 'bearer');
    server.auth.default('bearer');
  },
};

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
