// What the roles of callers allow, as refusals. What a role stands for is in shared/model/user.ts.

import { AppError } from '../../shared/errors.ts';
import { mayChange, type Principal } from '../../shared/model/user.ts';

/** @throws AppError `forbidden` */
export function requireAdmin(by: Principal): void {
  if (by.role !== 'admin') throw new AppError('forbidden', 'only an admin may do this');
}

/** For what users do with their own. @throws AppError `forbidden` */
export function requireChanger(by: Principal): void {
  if (mayChange(by)) return;
  throw new AppError(
    'forbidden',
    'your account is a viewer: it sees tasks and changes nothing; an admin can give it another role',
  );
}
