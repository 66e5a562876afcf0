// Waits for a promise that have an end: after a while, or when a signal says so. What was asked may still happen later.

import { AppError } from '../errors.ts';

/** Settles as `promise` does, or rejects with what `late` makes after `ms`. */
export async function withDeadline<T>(promise: Promise<T>, ms: number, late: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), ms);
  });
  try {
    return await Promise.race([promise, tooLate]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * An answer of the store, or AppError `store_unavailable`.
 * @param what completes "the store did not …"
 */
export function storeWithin<T>(promise: Promise<T>, ms: number, what = 'answer'): Promise<T> {
  const message = `the store did not ${what} within ${ms / 1_000} s`;
  return withDeadline(promise, ms, () => new AppError('store_unavailable', message, { retryable: true }));
}

/** The promise's outcome, or AppError `timed_out` as soon as the signal is aborted. */
export async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return promise;
  const stopped = () =>
    new AppError('timed_out', 'waiting was given up before the end', { cause: signal.reason });
  // When the signal wins, nobody is left to look at how the promise ends.
  promise.catch(() => undefined);
  if (signal.aborted) throw stopped();
  let stop: () => void = () => undefined;
  const aborted = new Promise<never>((_, fail) => {
    stop = () => fail(stopped());
    signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
