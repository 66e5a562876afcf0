// What the roles of callers do not allow, as refusals. Who may do what is in shared/model/rights.ts.

import { AppError } from '../../shared/errors.ts';
import { type Deed, whyNot } from '../../shared/model/rights.ts';
import type { Principal } from '../../shared/model/user.ts';

/** @throws AppError `forbidden` */
export function requireRight(by: Principal, deed: Deed): void {
  const refusal = whyNot(by, deed);
  if (refusal !== '') throw new AppError('forbidden', refusal);
}
