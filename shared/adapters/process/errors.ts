// Faults of the system in the words of the port.

import { AppError, messageOf } from '../../errors.ts';

/** `doing` completes "cannot …". Throws only AppError. */
export async function engineCall<T>(doing: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof AppError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOSPC' || code === 'EDQUOT') {
      throw new AppError('disk_full', `cannot ${doing}: the disk is full`, { cause: error });
    }
    throw new AppError('runtime_unavailable', `cannot ${doing}: ${messageOf(error)}`, {
      retryable: true,
      cause: error,
    });
  }
}
