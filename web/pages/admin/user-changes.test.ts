import { describe, expect, it } from 'vitest';
import type { AccountBody } from '../../../shared/contracts/users.ts';
import { changeOf, limitText } from './user-changes.ts';

const account: AccountBody = {
  user_id: 'user-1',
  username: 'alice',
  role: 'user',
  created_at: '2026-01-31T12:00:00.000Z',
  disabled: false,
  quota: {
    unfinished_tasks: 10,
    upload_storage: null,
    cpu: null,
    memory: null,
    gpu: null,
    rate_limit_reads: null,
    rate_limit_writes: null,
  },
  used: { unfinished_tasks: 3, upload_storage: 0, cpu: 0, memory: 0, gpu: 0 },
};

function form(fields: Record<string, string>): FormData {
  const same = { role: 'user', password: '', 'quota.unfinished_tasks': '10', 'quota.upload_storage': '' };
  const data = new FormData();
  for (const [name, value] of Object.entries({ ...same, ...fields })) data.set(name, value);
  return data;
}

describe('what is asked for', () => {
  it.each([
    ['nothing was changed', {}, {}],
    ['another role', { role: 'admin' }, { role: 'admin' }],
    ['disabled', { disabled: 'on' }, { disabled: true }],
    ['a new password', { password: ' secure 123 ' }, { password: ' secure 123 ' }],
    ['a limit', { 'quota.upload_storage': '500' }, { quota: { upload_storage: 500 } }],
    ['parts of a core', { 'quota.cpu': '2.5' }, { quota: { cpu: 2.5 } }],
    ['memory and GPUs', { 'quota.memory': '4096', 'quota.gpu': '0' }, { quota: { memory: 4096, gpu: 0 } }],
    [
      'own rates of requests',
      { 'quota.rate_limit_reads': '50', 'quota.rate_limit_writes': '0' },
      { quota: { rate_limit_reads: 50, rate_limit_writes: 0 } },
    ],
    ['a limit of none at all', { 'quota.unfinished_tasks': '0' }, { quota: { unfinished_tasks: 0 } }],
    ['no limit any more', { 'quota.unfinished_tasks': ' ' }, { quota: { unfinished_tasks: null } }],
  ])('when %s', (_what, fields, change) => {
    expect(changeOf(form(fields), account)).toEqual(change);
  });

  it('is to enable who was disabled', () => {
    expect(changeOf(form({}), { ...account, disabled: true })).toEqual({ disabled: false });
    expect(changeOf(form({ disabled: 'on' }), { ...account, disabled: true })).toEqual({});
  });

  it('shows no limit as an empty field', () => {
    expect([limitText(null), limitText(0), limitText(12)]).toEqual(['', '0', '12']);
  });
});
