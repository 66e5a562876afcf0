// The two ways a call can fail: the API said no (ApiError), or no API could be asked (ConnectionError).
// Match `status` and `code`, never message text.

import type { ErrorBody } from '../shared/contracts/http.ts';
import type { ErrorDetail } from '../shared/errors.ts';

export class ApiError extends Error {
  /** HTTP status. */
  readonly status: number;
  /** One of `ERROR_CODES`, or `unexpected_reply` when the answer is not one of a CloudAI API. */
  readonly code: string;
  readonly details: readonly ErrorDetail[];
  readonly retryAfterSeconds: number | null;

  constructor(
    status: number,
    code: string,
    message: string,
    details: readonly ErrorDetail[] = [],
    retryAfterSeconds: number | null = null,
  ) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
    this.details = details;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

export class ConnectionError extends Error {
  /** The address that was tried. */
  readonly url: string;
  /** `unreachable`: no connection or it broke; `timed_out`: connected but no answer in time. */
  readonly kind: 'unreachable' | 'timed_out';

  constructor(url: string, kind: 'unreachable' | 'timed_out', why: string, cause?: unknown) {
    super(`cannot reach ${url}: ${why}`, { cause });
    this.name = 'ConnectionError';
    this.url = url;
    this.kind = kind;
  }
}

/** No API there, or one that is starting or cut off from what it needs. Who waits for something looks again. */
export function isAway(error: unknown): boolean {
  if (error instanceof ConnectionError) return true;
  return error instanceof ApiError && [502, 503, 504].includes(error.status);
}

/** May go well a little later: nobody answered, or one who is busy, starting or cut off from what it needs. */
export function mayPass(error: unknown): boolean {
  return isAway(error) || (error instanceof ApiError && error.status === 429);
}

/** What helps when the other side is known to be right. */
const TRUST = 'set NODE_EXTRA_CA_CERTS to a PEM file with it to trust it';

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was cut',
  ENOTFOUND: 'no such host',
  EAI_AGAIN: 'the host name could not be looked up',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the network',
  ETIMEDOUT: 'no answer',
  UND_ERR_CONNECT_TIMEOUT: 'no answer',
  UND_ERR_SOCKET: 'the connection was cut',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  DEPTH_ZERO_SELF_SIGNED_CERT: `its certificate is self-signed; ${TRUST}`,
  SELF_SIGNED_CERT_IN_CHAIN: `its certificate is of an authority that is not known here; ${TRUST}`,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: `its certificate is of an authority that is not known here; ${TRUST}`,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: `its certificate is of an authority that is not known here; ${TRUST}`,
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host name',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS; the address may begin with http://',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS; the address may begin with http://',
};

/** A failed `fetch` as a ConnectionError with the cause in words. */
export function connectionError(url: string, error: unknown): ConnectionError {
  return new ConnectionError(url, 'unreachable', describe(error), error);
}

/** Node hides the reason in `cause`, or one per address in `cause.errors`; browsers tell nothing. */
function describe(error: unknown): string {
  const cause = (error as { cause?: unknown } | null)?.cause as
    | { code?: string; message?: string; errors?: { code?: string }[] }
    | undefined;
  const code = cause?.code ?? cause?.errors?.[0]?.code;
  if (code) return WORDS[code] ?? code;
  return cause?.message || (error instanceof Error ? error.message : String(error));
}

/** Refusals are told by their status where there are no words: an answer to HEAD has none. */
const WORDLESS: Readonly<Record<number, readonly [code: string, message: string]>> = {
  401: ['unauthenticated', 'not signed in, or the sign-in is no longer good'],
  403: ['forbidden', 'not allowed'],
};

/** The error that a reply with a status of 400 or more stands for. */
export function apiError(status: number, body: unknown, retryAfter: string | null): ApiError {
  const seconds = retryAfter !== null && /^\d+$/.test(retryAfter) ? Number(retryAfter) : null;
  const known = body as Partial<ErrorBody> | null;
  if (known && typeof known === 'object' && typeof known.message === 'string') {
    const details = Array.isArray(known.details) ? known.details : [];
    return new ApiError(status, known.code ?? 'unexpected_reply', known.message, details, seconds);
  }
  const [code, message] = WORDLESS[status] ?? ['unexpected_reply', `the server answered ${status}`];
  return new ApiError(status, code, message, [], seconds);
}
