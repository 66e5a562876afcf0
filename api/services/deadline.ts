// What a request asks for is given up after a while, so that a silent peer cannot hold it.

import { AppError } from '../../shared/errors.ts';
import { storeWithin, withDeadline } from '../../shared/platform/deadline.ts';

/** @throws AppError `timed_out` (retryable) when `work` has not settled within `ms`; what it does later is dropped */
export function answerWithin<T>(work: Promise<T>, ms: number, what: string): Promise<T> {
  return withDeadline(
    work,
    ms,
    () =>
      new AppError('timed_out', `${what} did not answer within ${ms} ms; try again in a moment`, {
        retryable: true,
      }),
  );
}

/** Longer than an adapter tries by itself. */
const STORE_DEADLINE_MS = 20_000;

/**
 * For calls that have no deadline of their own, because they take as long as their bytes do.
 * @throws AppError `store_unavailable` when no answer comes; what was asked for may still happen later
 */
export function storeAnswer<T>(answer: Promise<T>): Promise<T> {
  return storeWithin(answer, STORE_DEADLINE_MS);
}
