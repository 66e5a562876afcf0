// Waiting that can be given up without stopping what is waited for.

import { AppError } from '../errors.ts';

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
