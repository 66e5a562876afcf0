// A promise that is given up after a while, so that a silent peer cannot hold a request.

import { AppError } from '../../shared/errors.ts';
import { withDeadline } from '../../shared/platform/deadline.ts';

/** @throws AppError `timed_out` (retryable) when `work` has not settled within `ms`; what it does later is dropped */
export function answerWithin<T>(work: Promise<T>, ms: number, what: string): Promise<T> {
  return withDeadline(
    work,
    ms,
    () => new AppError('timed_out', `${what} did not answer within ${ms} ms`, { retryable: true }),
  );
}
