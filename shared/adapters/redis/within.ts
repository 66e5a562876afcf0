// A bound on how long to wait for a promise that has none of its own.

import { withDeadline } from '../../platform/deadline.ts';

/** Settles as `promise` does, or rejects after `ms`. What comes later is dropped. */
export function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  return withDeadline(promise, ms, () => new Error(`not done in ${ms} ms`));
}
