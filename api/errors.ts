// The one place where errors become replies: AppError, hapi's own refusals and the unexpected all get the same
// body. Nothing internal (stack, vendor text, path) may reach a body of an unexpected error.

import { STATUS_CODES } from 'node:http';
import type { Boom } from '@hapi/boom';
import type { ErrorBody } from '../shared/contracts/http.ts';
import { type AppError, type ErrorCode, type ErrorDetail, isAppError } from '../shared/errors.ts';

const STATUS: Readonly<Record<ErrorCode, number>> = {
  invalid_request: 400,
  unauthenticated: 401,
  forbidden: 403,
  // Not 429: waiting alone mends nothing, and programs would try again by themselves.
  quota_exceeded: 403,
  not_found: 404,
  conflict: 409,
  username_taken: 409,
  idempotency_mismatch: 409,
  worker_id_taken: 409,
  adoption_refused: 409,
  superseded: 409,
  too_large: 413,
  // What tus has for it; HTTP has no status of its own.
  checksum_mismatch: 460,
  range_not_satisfiable: 416,
  locked_out: 429,
  rate_limited: 429,
  store_unavailable: 503,
  queue_unavailable: 503,
  runtime_unavailable: 503,
  timed_out: 503,
  disk_full: 503,
  image_not_found: 500,
  image_pull_failed: 500,
  container_start_failed: 500,
  bad_config: 500,
  internal: 500,
};

/** Codes of what hapi refuses by itself. */
const HAPI_CODES: Readonly<Record<number, ErrorCode>> = {
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not_found',
  408: 'timed_out',
  409: 'conflict',
  413: 'too_large',
  429: 'rate_limited',
  503: 'timed_out',
};

/** A part's own words may hold addresses and paths, so callers get ours. */
const PART_AWAY: Readonly<Partial<Record<ErrorCode, string>>> = {
  store_unavailable: 'the store does not answer; try again in a moment',
  queue_unavailable: 'the queue does not answer; try again in a moment',
  runtime_unavailable: 'the container engine does not answer; try again in a moment',
  disk_full: 'the disk is full; make room, then try again',
};

/** Told to wait when an error does not say for how long. */
const RETRY_AFTER_SECONDS = 2;
/** A hostile body can be wrong in a million ways and places: a reply names at most so many. */
const MAX_DETAILS = 100;
const MAX_DETAIL_CHARS = 300;

export interface ErrorReply {
  readonly body: ErrorBody;
  readonly headers: Readonly<Record<string, string>>;
  /** How loud it is in the log; null for what is the caller's own affair. */
  readonly severity: 'error' | 'warn' | null;
}

/** @param error whatever ended the request: AppError, hapi's Boom, or any other error (also as Boom) */
export function errorReply(error: unknown): ErrorReply {
  if (isAppError(error)) return fromAppError(error);
  const boom = error as Partial<Boom>;
  const status = boom?.isBoom ? (boom.output?.statusCode ?? 500) : 500;
  if (status === 500) return reply(500, 'internal', 'something went wrong on our side; it has been logged');
  const code = HAPI_CODES[status] ?? (status < 500 ? 'invalid_request' : 'internal');
  const later = isForLater(status) ? { 'retry-after': RETRY_AFTER_SECONDS } : {};
  return reply(status, code, hapiMessage(status, boom), [], { ...later, ...boom.output?.headers });
}

/** The same call may do well a little later, and its answer says when. */
function isForLater(status: number): boolean {
  return status === 429 || status === 503;
}

function fromAppError(error: AppError): ErrorReply {
  const status = STATUS[error.code];
  if (status === 500) return reply(500, error.code, 'something went wrong on our side; it has been logged');
  const headers: Record<string, string> = {};
  if (status === 401) headers['www-authenticate'] = challenge(error);
  if (isForLater(status)) {
    headers['retry-after'] = String(Math.ceil(error.retryAfterSeconds ?? RETRY_AFTER_SECONDS));
  }
  return reply(status, error.code, PART_AWAY[error.code] ?? error.message, error.details, headers);
}

/** RFC 6750: no error code when no token was sent at all. */
function challenge(error: AppError): string {
  const fault = error.details.find(({ field }) => field === 'authorization');
  if (!fault) return 'Bearer realm="cloudai"';
  const text = error.message.replace(/[^\x20-\x7e]|["\\]/g, "'");
  return `Bearer realm="cloudai", error="invalid_token", error_description="${text}"`;
}

function hapiMessage(status: number, boom: Partial<Boom>): string {
  const own = boom.message ?? STATUS_CODES[status] ?? 'refused';
  switch (status) {
    case 404:
      return 'there is nothing at this address; the calls are listed in docs/DOCUMENTATION.md';
    case 408:
      return 'the body did not arrive in time; send it again';
    case 413:
      return `the body is too large: ${own.charAt(0).toLowerCase()}${own.slice(1)} bytes`;
    case 415:
      return 'send the body as JSON with the header "Content-Type: application/json"';
    case 503:
      return 'the answer took too long and was given up; try again in a moment';
    default: {
      const cause = boom.data as unknown;
      return cause instanceof SyntaxError ? `the body is not valid JSON: ${cause.message}` : own;
    }
  }
}

function reply(
  statusCode: number,
  code: string,
  message: string,
  details: readonly ErrorDetail[] = [],
  headers: Readonly<Record<string, unknown>> = {},
): ErrorReply {
  const shown = details.slice(0, MAX_DETAILS).map(({ field, message: text }) => ({
    field: cut(field),
    message: cut(text),
  }));
  if (details.length > MAX_DETAILS) {
    shown.push({ field: '', message: `and ${details.length - MAX_DETAILS} more faults` });
  }
  return {
    body: {
      statusCode,
      error: STATUS_CODES[statusCode] ?? 'Error',
      code,
      message: cut(message, 2 * MAX_DETAIL_CHARS),
      details: shown,
    },
    headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)])),
    severity: statusCode === 500 ? 'error' : statusCode === 503 ? 'warn' : null,
  };
}

function cut(text: string, limit = MAX_DETAIL_CHARS): string {
  return text.length > limit ? `${text.slice(0, limit)}…` : text;
}
