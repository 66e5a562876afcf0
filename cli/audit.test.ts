import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AuditEntryBody } from '../shared/contracts/audit.ts';
import { type CliStage, openCliStage } from '../test/support/cli-stage.ts';
import { AuditFeed } from './audit/audit-pages.ts';

let stage: CliStage;
beforeEach(async () => {
  stage = await openCliStage();
});
afterEach(() => stage.close());

const entry = (n: number, over: Partial<AuditEntryBody> = {}): AuditEntryBody => ({
  audit_id: `audit-${n}`,
  at: new Date(1_700_000_000_000 + n * 1_000).toISOString(),
  actor: { user_id: 'user-1', username: 'alice', token: { token_id: 'token-1', name: 'ci' } },
  address: '10.0.0.7',
  request_id: `req-${n}`,
  action: 'task.cancel',
  target: 'task-1',
  outcome: 'done',
  code: null,
  details: { force: true },
  ...over,
});

describe('audit', () => {
  it('shows who did what, and passes filters on', async () => {
    const asked: unknown[] = [];
    stage.api.on('GET /api/audit', ({ query }) => {
      asked.push(query);
      const denied = {
        actor: null,
        action: 'account.sign_in',
        outcome: 'denied',
        code: 'locked_out',
      } as const;
      return { entries: [entry(2), entry(1, denied)], next_cursor: null };
    });
    const told = await stage.cloudai(['audit', '--actor', 'alice', '--action', 'task', '--from', '-2h']);
    expect(told).toMatchObject({ code: 0, err: '' });
    expect(asked).toEqual([{ actor: 'alice', action: 'task', from: '-2h', limit: '50' }]);
    expect(told.out).toContain('2023-11-14 22:13:22Z  alice (token ci)  10.0.0.7  task.cancel');
    expect(told.out).toContain('force=true');
    expect(told.out).toMatch(/nobody known .* denied: locked_out/);
  });

  it('takes no end together with --follow', async () => {
    const told = await stage.cloudai(['audit', '--follow', '--to', 'now']);
    expect(told).toMatchObject({ code: 2, out: '' });
  });
});

it('a feed gives each entry once, oldest first, also one that comes late', async () => {
  const pages = [[entry(2), entry(1)], [entry(4), entry(2), entry(1)], [entry(4), entry(3), entry(2)], []];
  const asked: (string | undefined)[] = [];
  const listAudit = async ({ from }: { from?: string | undefined } = {}) => {
    asked.push(from);
    return { entries: pages.shift() ?? [], next_cursor: null };
  };
  const feed = new AuditFeed({ listAudit }, {}, 10);
  const { signal } = new AbortController();
  const given: string[][] = [];
  for (let n = 0; n < 4; n += 1) given.push((await feed.fresh(signal)).map(({ audit_id }) => audit_id));
  expect(given).toEqual([['audit-1', 'audit-2'], ['audit-4'], ['audit-3'], []]);
  expect(asked).toEqual([
    undefined,
    '2023-11-14T22:13:12.000Z',
    '2023-11-14T22:13:14.000Z',
    '2023-11-14T22:13:14.000Z',
  ]);
});
