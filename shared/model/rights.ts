// What an account may do, by its role: one table that the API refuses by and that the dashboard offers by. Pure. Whose
// something is does not stand here: that the services look at.

import type { AuditAction } from './audit.ts';
import type { Role } from './user.ts';

/** Everybody who is signed in. */
const ALL: readonly Role[] = ['admin', 'user', 'viewer'];
/** Who does something with tasks, files and webhooks: own ones at least. */
const CHANGERS: readonly Role[] = ['admin', 'user'];
const ADMINS: readonly Role[] = ['admin'];

/** Changes no right stands for: made without a sign-in, or by nobody. */
type Unasked = 'account.register' | 'account.sign_in' | 'audit.lost';
/** What is only looked at, and not by everybody. */
type Sight = 'user.see' | 'file.see_others' | 'webhook.see_secret' | 'audit.see' | 'decision.see';
/** Whatever changes something is in the audit log under such a name, so none is forgotten here. */
export type Deed = Exclude<AuditAction, Unasked> | Sight;

const WHO_MAY: Readonly<Record<Deed, readonly Role[]>> = {
  'account.password': ALL,
  'account.sign_out': ALL,
  'account.sign_out_all': ALL,
  'token.create': ALL,
  'token.delete': ALL,
  'task.submit': CHANGERS,
  'task.cancel': CHANGERS,
  'task.retry': CHANGERS,
  'file.upload': CHANGERS,
  'file.delete': CHANGERS,
  'upload.begin': CHANGERS,
  'upload.delete': CHANGERS,
  'webhook.create': CHANGERS,
  'webhook.delete': CHANGERS,
  'webhook.see_secret': CHANGERS,
  'webhook.rotate_secret': CHANGERS,
  'webhook.redeliver': CHANGERS,
  'user.see': ADMINS,
  'user.create': ADMINS,
  'user.change': ADMINS,
  'user.sign_out': ADMINS,
  'file.see_others': ADMINS,
  'worker.register': ADMINS,
  'worker.cordon': ADMINS,
  'worker.uncordon': ADMINS,
  'worker.drain': ADMINS,
  'worker.remove': ADMINS,
  'backup.make': ADMINS,
  'backup.restore': ADMINS,
  'queue_board.open': ADMINS,
  'audit.see': ADMINS,
  'decision.see': ADMINS,
};

export function may({ role }: { readonly role: Role }, deed: Deed): boolean {
  return WHO_MAY[deed].includes(role);
}

/** In words for whoever may not, after which nothing has to be explained; empty when it may. */
export function whyNot(who: { readonly role: Role }, deed: Deed): string {
  if (may(who, deed)) return '';
  if (WHO_MAY[deed] === ADMINS) return 'only an admin may do this';
  return 'your account is a viewer: it sees tasks and changes nothing; an admin can give it another role';
}
