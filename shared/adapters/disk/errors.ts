// Faults of the file system as AppErrors.

import { AppError, messageOf } from '../../errors.ts';

export function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}

/** `what` is kept there, for the words: "output of tasks", "files". */
export function asAppError(error: unknown, what: string): AppError {
  if (error instanceof AppError) return error;
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new AppError('disk_full', `the disk that keeps ${what} is full`, {
      retryable: true,
      cause: error,
    });
  }
  return new AppError('store_unavailable', `${what} cannot be kept or read: ${messageOf(error)}`, {
    retryable: true,
    cause: error,
  });
}

/** Runs `work`; what it throws comes out as an AppError. */
export async function guarded<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw asAppError(error, what);
  }
}
