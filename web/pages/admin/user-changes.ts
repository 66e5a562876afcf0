// What a form about an account asks the API for: only what was changed. Pure.

import type { AccountBody, QuotaBody, UserChangeBody } from '../../../shared/contracts/users.ts';
import { ROLES } from '../../../shared/model/user.ts';

/** What stands in the form. */
export type FormText = Pick<FormData, 'get'>;

export const QUOTA_FIELDS = {
  unfinished_tasks: 'quota.unfinished_tasks',
  upload_storage: 'quota.upload_storage',
  cpu: 'quota.cpu',
  memory: 'quota.memory',
  gpu: 'quota.gpu',
  rate_limit_reads: 'quota.rate_limit_reads',
  rate_limit_writes: 'quota.rate_limit_writes',
} as const;

export function changeOf(form: FormText, account: AccountBody): UserChangeBody {
  const role = ROLES.find((one) => one === form.get('role'));
  const disabled = form.get('disabled') !== null;
  const password = String(form.get('password') ?? '');
  const quota = quotaChange(form, account.quota);
  return {
    ...(role && role !== account.role ? { role } : {}),
    ...(disabled === account.disabled ? {} : { disabled }),
    ...(password === '' ? {} : { password }),
    ...(Object.keys(quota).length === 0 ? {} : { quota }),
  };
}

function quotaChange(form: FormText, before: QuotaBody): Partial<QuotaBody> {
  const change: Partial<QuotaBody> = {};
  for (const name of Object.keys(QUOTA_FIELDS) as (keyof QuotaBody)[]) {
    const limit = limitOf(form.get(QUOTA_FIELDS[name]));
    // An API of an earlier release knows not all of them.
    if (limit !== (before[name] ?? null)) change[name] = limit;
  }
  return change;
}

/** An empty field is no limit. */
function limitOf(text: FormDataEntryValue | null): number | null {
  const written = String(text ?? '').trim();
  return written === '' ? null : Number(written);
}

/** A limit as it stands in the form. */
export function limitText(limit: number | null): string {
  return limit === null ? '' : String(limit);
}
