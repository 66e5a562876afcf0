// Faults of MongoDB as AppErrors. Nothing of the driver's own errors may leave this folder.

import {
  MongoAPIError,
  MongoClientClosedError,
  MongoError,
  MongoNotConnectedError,
  MongoServerClosedError,
  MongoServerError,
  MongoTopologyClosedError,
} from 'mongodb';
import { AppError, messageOf } from '../../errors.ts';

const DUPLICATE_KEY = 11000;
/**
 * Codes of a server, or a replica set, that cannot serve now: unreachable, shutting down, without a primary,
 * out of time or of disk, write concern not met; and (13, 18) of one that refuses who we are.
 */
const AWAY = new Set([
  6, 7, 13, 18, 50, 64, 89, 91, 134, 189, 262, 317, 358, 9001, 10107, 11600, 11602, 13388, 13435, 13436,
  14031,
]);
const CLOSED = [
  MongoClientClosedError,
  MongoNotConnectedError,
  MongoServerClosedError,
  MongoTopologyClosedError,
];

/** Codes of Node's own errors about a connection. A write into one that just ended comes out of the driver as it is. */
const CUT = new Set([
  ...['EPIPE', 'ECONNRESET', 'ECONNABORTED', 'ECONNREFUSED', 'ENOTCONN', 'ETIMEDOUT', 'EHOSTUNREACH'],
  ...['ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN'],
  ...['ERR_STREAM_DESTROYED', 'ERR_STREAM_WRITE_AFTER_END', 'ERR_SOCKET_CLOSED'],
]);

/** A document with the same unique key is there already. */
export function isDuplicate(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === DUPLICATE_KEY;
}

export function unavailable(why: string, cause?: unknown): AppError {
  return new AppError('store_unavailable', `the database cannot be used: ${why}`, { retryable: true, cause });
}

export function asAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (isDuplicate(error)) {
    return new AppError('conflict', 'a record with the same key exists', { cause: error });
  }
  if (isOutOfReach(error)) return unavailable(messageOf(error), error);
  return new AppError('internal', `fault in the store: ${messageOf(error)}`, { cause: error });
}

function isOutOfReach(error: unknown): boolean {
  if (!(error instanceof MongoError)) return CUT.has(String((error as NodeJS.ErrnoException | null)?.code));
  if (error instanceof MongoServerError) {
    return AWAY.has(Number(error.code)) || error.hasErrorLabel('RetryableWriteError');
  }
  if (CLOSED.some((kind) => error instanceof kind)) return true;
  // Other API errors are misuse of the driver, a fault of this code. All the rest speak of the connection.
  return !(error instanceof MongoAPIError);
}

/** Runs `work`; what it throws comes out as an AppError. */
export async function guarded<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw asAppError(error);
  }
}

/** Repeats an upsert that another writer of the same new document got ahead of. */
export async function upserting<T>(work: () => Promise<T>): Promise<T> {
  return guarded(async () => {
    try {
      return await work();
    } catch (error) {
      if (isDuplicate(error)) return await work();
      throw error;
    }
  });
}
