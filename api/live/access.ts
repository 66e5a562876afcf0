// Who may come in over a socket: a token from wherever its client can put one, checked as in REST. Never logs or
// keeps a token.

import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { AppError } from '../../shared/errors.ts';
import { bearerToken, type Sessions } from '../services/sessions.ts';
import type { Caller } from './live-server.ts';

/** A browser cannot set headers of a WebSocket, but it can offer subprotocols: this word, then the token. */
export const TOKEN_PROTOCOL = 'bearer';

const NOBODY: Caller = { principal: null, expiresAt: null, tokenId: null, epoch: null, signInId: null };

export class LiveAccess {
  readonly #sessions: Sessions;
  readonly #observeAuth: 'open' | 'required';
  readonly #corsOrigins: readonly string[];

  /** @param corsOrigins pages of these may come in, besides the API's own */
  constructor(sessions: Sessions, observeAuth: 'open' | 'required', corsOrigins: readonly string[]) {
    this.#sessions = sessions;
    this.#observeAuth = observeAuth;
    this.#corsOrigins = corsOrigins;
  }

  /**
   * Without a token: nobody, where watching is open to all.
   * @throws AppError `unauthenticated`; `forbidden` for pages of other sites, with a token or without
   */
  async admit(token: string | undefined, headers: IncomingHttpHeaders): Promise<Caller> {
    // The browser of someone inside carries pages from outside: they see no more here than they can fetch.
    if (!isSameSite(headers) && !this.#corsOrigins.includes(headers.origin ?? '')) {
      throw new AppError('forbidden', 'pages of other sites may not connect unless CORS_ORIGINS names them');
    }
    if (token !== undefined) return this.#sessions.check(token);
    if (this.#observeAuth === 'required') bearerToken(undefined);
    return NOBODY;
  }
}

/** From the header, the subprotocols, or `?token=`. Undefined when there is none. */
export function tokenOfUpgrade(request: IncomingMessage): string | undefined {
  const { authorization, 'sec-websocket-protocol': protocols } = request.headers;
  if (authorization !== undefined) return bearerToken(authorization);
  const [word, token] = (protocols ?? '').split(',').map((part) => part.trim());
  if (word === TOKEN_PROTOCOL && token) return token;
  const [, query = ''] = (request.url ?? '').split('?', 2);
  return new URLSearchParams(query).get('token') ?? undefined;
}

/** From the handshake of Socket.io, whose `auth` is whatever a client sent. */
export function tokenOfHandshake(auth: unknown, headers: IncomingHttpHeaders): string | undefined {
  const token = (auth as { token?: unknown } | null | undefined)?.token;
  if (token === undefined || token === null || token === '') {
    return headers.authorization === undefined ? undefined : bearerToken(headers.authorization);
  }
  if (typeof token !== 'string') throw new AppError('unauthenticated', '"auth.token" must be a text');
  return token;
}

/** True for programs, which send no Origin, and for pages that this very address served. */
export function isSameSite(headers: IncomingHttpHeaders): boolean {
  const { origin, host, 'x-forwarded-host': forwarded } = headers;
  if (origin === undefined) return true;
  if (!URL.canParse(origin)) return false;
  const from = new URL(origin).host;
  return from === host || from === forwarded;
}
