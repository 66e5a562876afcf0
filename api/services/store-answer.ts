// What the store is asked for within a call that has no deadline of its own, because it takes as long as its bytes do.

import { AppError } from '../../shared/errors.ts';
import { withDeadline } from '../../shared/platform/deadline.ts';

/** Longer than an adapter tries by itself. */
const STORE_DEADLINE_MS = 20_000;

/** @throws AppError `store_unavailable` when no answer comes; what was asked for may still happen later */
export function storeAnswer<T>(answer: Promise<T>): Promise<T> {
  return withDeadline(
    answer,
    STORE_DEADLINE_MS,
    () =>
      new AppError('store_unavailable', `the store did not answer within ${STORE_DEADLINE_MS} ms`, {
        retryable: true,
      }),
  );
}
