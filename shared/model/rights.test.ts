import { describe, expect, it } from 'vitest';
import { AUDIT_ACTIONS } from './audit.ts';
import { type Deed, may, whyNot } from './rights.ts';
import { ROLES } from './user.ts';

const UNASKED = ['account.register', 'account.sign_in', 'audit.lost'];
const CHANGES = AUDIT_ACTIONS.filter((action) => !UNASKED.includes(action)) as Deed[];
const who = (deed: Deed) => ROLES.filter((role) => may({ role }, deed));

describe('the rights of roles', () => {
  it('let an admin do everything', () => {
    expect(CHANGES.filter((deed) => !may({ role: 'admin' }, deed))).toEqual([]);
  });

  it('let a viewer change nothing but its own password, sign-ins and API tokens', () => {
    expect(CHANGES.filter((deed) => may({ role: 'viewer' }, deed))).toEqual([
      'account.password',
      'account.sign_out',
      'account.sign_out_all',
      'token.create',
      'token.delete',
    ]);
  });

  it('keep machines, accounts and records for admins', () => {
    const kept = CHANGES.filter((deed) => /^(user|worker|backup|queue_board)\./.test(deed));
    expect(kept).toHaveLength(11);
    expect(kept.flatMap(who)).toEqual(kept.map(() => 'admin'));
    const sights = ['user.see', 'file.see_others', 'audit.see', 'decision.see'] as const;
    expect(sights.map(who)).toEqual(sights.map(() => ['admin']));
    expect(who('webhook.see_secret')).toEqual(['admin', 'user']);
  });

  it('say why not, and to whom to turn', () => {
    expect(whyNot({ role: 'user' }, 'task.submit')).toBe('');
    expect(whyNot({ role: 'user' }, 'worker.drain')).toBe('only an admin may do this');
    expect(whyNot({ role: 'viewer' }, 'worker.drain')).toBe('only an admin may do this');
    expect(whyNot({ role: 'viewer' }, 'task.submit')).toMatch(/is a viewer.*an admin can give it another/);
  });
});
