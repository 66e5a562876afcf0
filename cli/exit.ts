// Exit codes and errors as users see them: one line what is wrong, one line what to do.

import { ApiError, ConnectionError } from '../client/client.ts';

export const EXIT = {
  ok: 0,
  /** The task that was waited for failed or was cancelled, or the API refused for a reason not below. */
  failed: 1,
  usage: 2,
  /** No API there, or it (or what it depends on) is away. */
  noConnection: 3,
  /** Not signed in, or not allowed. */
  notAllowed: 4,
  interrupted: 130,
} as const;

/** One of `EXIT`, or a container's own where that was asked for. */
export type ExitCode = number;

/** What scripts match on, for faults the CLI found itself. */
const CODES: Readonly<Record<number, string>> = {
  [EXIT.usage]: 'usage',
  [EXIT.noConnection]: 'no_connection',
  [EXIT.notAllowed]: 'unauthenticated',
  [EXIT.interrupted]: 'interrupted',
};

/** A fault the CLI found itself. */
export class CliError extends Error {
  readonly exitCode: ExitCode;
  readonly advice: string;
  /** One per single fault, where there may be several. */
  readonly details: Complaint['details'];

  /** With an API's refusal as its cause it keeps that one's code. */
  constructor(
    exitCode: ExitCode,
    message: string,
    advice = '',
    details: Complaint['details'] = [],
    cause: unknown = undefined,
  ) {
    super(message, { cause });
    this.name = 'CliError';
    this.exitCode = exitCode;
    this.advice = advice;
    this.details = details;
  }
}

export interface Complaint {
  readonly exitCode: ExitCode;
  readonly code: string;
  readonly message: string;
  /** One line per single fault, e.g. per bad field. */
  readonly details: readonly { readonly field: string; readonly message: string }[];
  /** What to do; empty when there is nothing to say. */
  readonly advice: string;
}

export function complaintOf(error: unknown): Complaint {
  if (error instanceof CliError) {
    const { exitCode, message, advice, details, cause } = error;
    const code = cause instanceof ApiError ? cause.code : (CODES[exitCode] ?? 'failed');
    return { ...complaint(exitCode, code, message, advice), details };
  }
  if (error instanceof ConnectionError) {
    const advice =
      'Is the API running there? Name another address with --url, CLOUDAI_URL or "cloudai login --url".';
    return complaint(EXIT.noConnection, 'no_connection', error.message, advice);
  }
  if (error instanceof ApiError) {
    const { exitCode, advice } = judge(error);
    return { ...complaint(exitCode, error.code, error.message, advice), details: error.details };
  }
  // Not foreseen: the text is all there is.
  return complaint(EXIT.failed, 'internal', error instanceof Error ? error.message : String(error), '');
}

function complaint(exitCode: ExitCode, code: string, message: string, advice: string): Complaint {
  return { exitCode, code, message, details: [], advice };
}

function judge(error: ApiError): { exitCode: ExitCode; advice: string } {
  const later =
    error.retryAfterSeconds === null
      ? 'Try again in a moment.'
      : `Try again in ${error.retryAfterSeconds} s.`;
  if (error.code === 'unexpected_reply' && error.status < 500) {
    return { exitCode: EXIT.noConnection, advice: 'Check the address: --url, CLOUDAI_URL or the profile.' };
  }
  // The message says what to do, and nothing of it is to sign in as somebody else.
  if (error.code === 'quota_exceeded') return { exitCode: EXIT.failed, advice: '' };
  switch (error.status) {
    case 400:
    case 413:
      return { exitCode: EXIT.usage, advice: 'Correct it and try again; --help shows the options.' };
    case 401:
      return { exitCode: EXIT.notAllowed, advice: 'Sign in with "cloudai login".' };
    case 403:
      return {
        exitCode: EXIT.notAllowed,
        advice: 'Ask an admin of the cluster, or sign in as another user.',
      };
    case 404:
      return { exitCode: EXIT.failed, advice: 'Look it up with "cloudai list-tasks" or "cloudai workers".' };
    case 429:
      // As with 503: the API's own words say what to do, once.
      return { exitCode: error.code === 'locked_out' ? EXIT.notAllowed : EXIT.failed, advice: '' };
    case 503:
      return { exitCode: EXIT.noConnection, advice: error.code === 'unexpected_reply' ? later : '' };
    case 502:
    case 504:
      return { exitCode: EXIT.noConnection, advice: later };
    default:
      return { exitCode: EXIT.failed, advice: '' };
  }
}
