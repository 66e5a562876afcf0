// A promise that is given up after a while, so that a silent peer cannot hold a request.

import { AppError } from '../../shared/errors.ts';

/** @throws AppError `timed_out` (retryable) when `work` has not settled within `ms`; what it does later is dropped */
export function withDeadline<T>(work: Promise<T>, ms: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_done, fail) => {
    timer = setTimeout(() => {
      fail(new AppError('timed_out', `${what} did not answer within ${ms} ms`, { retryable: true }));
    }, ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
