// Turns whatever ioredis and BullMQ throw into AppError. No vendor error ever leaves this folder.

import { AppError, isAppError, messageOf } from '../../errors.ts';

/**
 * First words of error replies that say "this server cannot serve now", as the protocol defines them. Another
 * error reply means that a command was wrong: a fault of this program.
 */
const UNABLE = new Set([
  'LOADING',
  'OOM',
  'MISCONF',
  'READONLY',
  'MASTERDOWN',
  'CLUSTERDOWN',
  'TRYAGAIN',
  'BUSY',
  'NOREPLICAS',
  'NOAUTH',
  'WRONGPASS',
  'NOPERM',
]);

export function unavailable(what: string, cause?: unknown): AppError {
  const why = cause === undefined ? '' : `: ${messageOf(cause)}`;
  return new AppError('queue_unavailable', `Redis cannot be used to ${what}${why}`, {
    retryable: true,
    retryAfterSeconds: 2,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** `what` completes "Redis cannot be used to …". */
export function asAppError(what: string, error: unknown): AppError {
  if (isAppError(error)) return error;
  if (isProgramFault(error)) {
    return new AppError('internal', `fault while using Redis to ${what}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return unavailable(what, error);
}

function isProgramFault(error: unknown): boolean {
  if (!(error instanceof Error)) return true;
  if (error.name === 'ReplyError') return !UNABLE.has(error.message.split(' ', 1)[0] ?? '');
  return error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError;
}
