// Bearer tokens: JWTs from a login, and long-lived API tokens, looked up by hash. Both stand for an account, and what that
// may do now is what counts, not what it was when the token was made.
// Says which of missing, malformed, forged, expired, ended or unknown a token is. Never logs or keeps a token.

import { createHash, randomBytes } from 'node:crypto';
import { type HapiJwt, token as jwt } from '@hapi/jwt';
import { AppError } from '../../shared/errors.ts';
import { isEnded } from '../../shared/model/sign-ins.ts';
import { type ApiToken, type Principal, ROLES, type Role, type User } from '../../shared/model/user.ts';
import { newId } from '../../shared/platform/ids.ts';
import type { Log } from '../../shared/platform/log.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { UserStore } from '../../shared/ports/store.ts';
import { storeAnswer } from './deadline.ts';
import type { KnownUsers } from './known-users.ts';
import type { SigningKeys } from './signing-keys.ts';

const ISSUER = 'cloudai';
const AUDIENCE = 'cloudai-api';
const API_TOKEN_PREFIX = 'cloudai_';
/** Time between two notes of a token's last use. */
const TOUCH_MS = 60_000;
/** Far more than anyone can keep apart. */
const MAX_TOKENS_PER_USER = 100;
/** Above any real token: nothing longer is even decoded. */
const MAX_TOKEN_CHARS = 4_096;

const LOG_IN = 'log in with POST /api/auth/login';

export interface SessionParts {
  readonly users: UserStore;
  readonly known: KnownUsers;
  readonly keys: SigningKeys;
  readonly ttlSeconds: number;
  readonly clock: Clock;
  readonly log: Log;
}

/** Whom a token speaks for, and until when. */
export interface Session {
  readonly principal: Principal;
  /** Milliseconds since the epoch; null for a token that does not expire. */
  readonly expiresAt: number | null;
  /** Of an API token, which may be taken back; null for a JWT. */
  readonly tokenId: string | null;
  /** What its owner calls it; null for a JWT. */
  readonly tokenName: string | null;
  /** Of a JWT: that of the account when it was made. Null for an API token, which outlives them. */
  readonly epoch: number | null;
  /** Of a JWT, which may be ended alone; null for an API token, and for a JWT of an earlier release. */
  readonly signInId: string | null;
}

/** Which sign-in something stands on. */
export type SignInRef = Pick<Session, 'epoch' | 'signInId'>;

export class Sessions {
  readonly #parts: SessionParts;
  readonly #removalListeners = new Set<(tokenId: string) => void>();

  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  /** A JWT for a user who just proved to be one. `expiresAt` in milliseconds since the epoch. */
  issue(user: User): { token: string; expiresAt: number } {
    const { keys, ttlSeconds, clock } = this.#parts;
    const issuedAt = Math.floor(clock.now() / 1000);
    const exp = issuedAt + ttlSeconds;
    const token = keys.sign({
      iss: ISSUER,
      aud: AUDIENCE,
      sub: user.id,
      name: user.username,
      role: user.role,
      epoch: user.signInEpoch,
      jti: newSignInId(),
      iat: issuedAt,
      exp,
    });
    return { token, expiresAt: exp * 1000 };
  }

  /** @throws AppError `unauthenticated` that says what is wrong with the header or the token and what to do */
  async identify(header: string | undefined): Promise<Principal> {
    return (await this.check(bearerToken(header))).principal;
  }

  /** @throws AppError `unauthenticated` that says what is wrong with the token and what to do */
  async check(token: string): Promise<Session> {
    if (token.length > MAX_TOKEN_CHARS) throw refuse(`the token is malformed: ${LOG_IN} for a new one`);
    return token.startsWith(API_TOKEN_PREFIX) ? this.#fromApiToken(token) : this.#fromJwt(token);
  }

  async #fromJwt(token: string): Promise<Session> {
    let artifacts: HapiJwt.Artifacts;
    try {
      artifacts = jwt.decode(token);
    } catch {
      throw refuse(`the token is malformed: ${LOG_IN} and send the token as it was given`);
    }
    attempt(
      () => this.#parts.keys.verify(artifacts),
      `the token was not issued by this cluster: ${LOG_IN} for a new one`,
    );
    const payload = artifacts.decoded.payload as Record<string, unknown>;
    const now = this.#parts.clock.now();
    if (typeof payload.exp !== 'number' || payload.exp <= Math.floor(now / 1000)) {
      throw refuse(`the token has expired: ${LOG_IN} for a new one`);
    }
    attempt(
      () => jwt.verifyPayload(artifacts, { aud: AUDIENCE, iss: ISSUER, sub: false, now }),
      `the token is not meant for this API: ${LOG_IN} for a new one`,
    );
    // Tokens of earlier releases tell no epoch, and no id.
    const { sub, name, epoch = 0, jti = null } = payload;
    const role = ROLES.find((known) => known === payload.role);
    if (
      typeof sub !== 'string' ||
      typeof name !== 'string' ||
      typeof epoch !== 'number' ||
      !isSignInId(jti) ||
      !role
    ) {
      throw refuse(`the token does not say who you are: ${LOG_IN} for a new one`);
    }
    // Without an await where it is known: nearly always.
    const user = this.#parts.known.fresh(sub) ?? (await this.#parts.known.get(sub));
    const fault = faultOf(user, { epoch, signInId: jti });
    if (user === null || fault !== null) throw refuse(fault ?? '');
    const expiresAt = payload.exp * 1000;
    return { principal: principalOf(user), expiresAt, tokenId: null, tokenName: null, epoch, signInId: jti };
  }

  async #fromApiToken(token: string): Promise<Session> {
    const { users, known, clock, log } = this.#parts;
    const found = await storeAnswer(users.findTokenByHash(sha256(token)));
    const user = found && (await known.get(found.userId));
    if (!found || !user) {
      throw refuse('the API token is not known or was taken back: make a new one with POST /api/auth/tokens');
    }
    const fault = faultOf(user, { epoch: null, signInId: null });
    if (fault !== null) throw refuse(fault);
    const now = clock.now();
    if (now - (found.lastUsedAt ?? 0) > TOUCH_MS) {
      users.touchToken(found.id, now).catch((error) => log.debug({ err: error }, 'last use not noted'));
    }
    return {
      principal: principalOf(user),
      expiresAt: null,
      tokenId: found.id,
      tokenName: found.name,
      epoch: null,
      signInId: null,
    };
  }

  /**
   * The same as its account stands now, for who had to wait since it was checked. A look into a map where it is known, as it
   * is nearly always.
   * @throws AppError `unauthenticated` when it has ended meanwhile
   */
  async asOfNow(session: Session): Promise<Session> {
    const { userId, role } = session.principal;
    const user = this.#parts.known.fresh(userId) ?? (await this.#parts.known.get(userId));
    const fault = faultOf(user, session);
    if (user === null || fault !== null) throw refuse(fault ?? '');
    return user.role === role ? session : { ...session, principal: principalOf(user) };
  }

  /** @throws AppError `store_unavailable` when that is not known */
  async standing({ userId }: Principal, signIn: SignInRef): Promise<Standing> {
    const user = await this.#parts.known.get(userId);
    return { fault: faultOf(user, signIn), role: user?.role ?? null };
  }

  /** The token itself is in the answer and nowhere else. */
  async createApiToken(owner: Principal, name: string): Promise<{ record: ApiToken; token: string }> {
    const { users, clock } = this.#parts;
    if ((await users.listTokens(owner.userId)).length >= MAX_TOKENS_PER_USER) {
      throw new AppError(
        'conflict',
        `you have ${MAX_TOKENS_PER_USER} API tokens: delete one you do not need`,
      );
    }
    const token = `${API_TOKEN_PREFIX}${randomBytes(32).toString('base64url')}`;
    const record: ApiToken = {
      id: newId('token'),
      userId: owner.userId,
      name,
      hash: sha256(token),
      createdAt: clock.now(),
      lastUsedAt: null,
    };
    await users.insertToken(record);
    return { record, token };
  }

  listApiTokens(owner: Principal): Promise<ApiToken[]> {
    return this.#parts.users.listTokens(owner.userId);
  }

  /** @throws AppError `not_found` for a token that is not the owner's */
  async removeApiToken(owner: Principal, id: string): Promise<void> {
    if (!(await this.#parts.users.removeToken(owner.userId, id))) {
      throw new AppError('not_found', `you have no API token ${id}; GET /api/auth/tokens lists yours`);
    }
    for (const listener of this.#removalListeners) listener(id);
  }

  /** Of an account that loses them all. Returns how many there were. */
  async removeApiTokens(userId: string): Promise<number> {
    const tokens = await this.#parts.users.listTokens(userId);
    for (const { id } of tokens) {
      await this.#parts.users.removeToken(userId, id);
      for (const listener of this.#removalListeners) listener(id);
    }
    return tokens.length;
  }

  /** Calls back with the id of each API token that is taken back through this process. */
  onTokenRemoved(listener: (tokenId: string) => void): void {
    this.#removalListeners.add(listener);
  }
}

/** How an account stands that something is open for. */
export interface Standing {
  /** Why it is to be closed; null when it may stay. */
  readonly fault: string | null;
  readonly role: Role | null;
}

function faultOf(user: User | null, { epoch, signInId }: SignInRef): string | null {
  if (user === null) return 'this account no longer exists: register a new one';
  if (user.disabled) return 'this account is disabled: ask an admin of the cluster';
  if (signInId !== null && isEnded(user, signInId)) return `this sign-in was ended by signing out: ${LOG_IN}`;
  if (epoch === null || epoch === user.signInEpoch) return null;
  return `this sign-in was ended, as all of the account are when its password changes or somebody signs it out everywhere: ${LOG_IN} for a new one`;
}

function principalOf({ id, username, role }: User): Principal {
  return { userId: id, username, role };
}

/** @throws AppError `unauthenticated` */
export function bearerToken(header: string | undefined): string {
  if (header === undefined || header.trim() === '') {
    throw new AppError(
      'unauthenticated',
      `no token was sent: ${LOG_IN} and send the header "Authorization: Bearer <token>"`,
    );
  }
  const token = /^Bearer +(\S+) *$/i.exec(header)?.[1];
  if (!token || token.length > MAX_TOKEN_CHARS) {
    throw refuse('the Authorization header is malformed: it must read "Bearer <token>"');
  }
  return token;
}

function refuse(message: string): AppError {
  return new AppError('unauthenticated', message, { details: [{ field: 'authorization', message }] });
}

function attempt(check: () => void, message: string): void {
  try {
    check();
  } catch {
    throw refuse(message);
  }
}

function newSignInId(): string {
  return randomBytes(9).toString('base64url');
}

function isSignInId(value: unknown): value is string | null {
  return value === null || typeof value === 'string';
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
