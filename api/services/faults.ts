// A refusal that names every fault of a call. Pure.

import { AppError, type ErrorDetail } from '../../shared/errors.ts';

/** @param faults at least one, in the order of the caller's fields */
export function refusal(faults: readonly ErrorDetail[]): AppError {
  const rest = faults.length === 1 ? '' : ` (and ${faults.length - 1} more, see details)`;
  return new AppError('invalid_request', `${faults[0]?.message}${rest}`, { details: faults });
}
