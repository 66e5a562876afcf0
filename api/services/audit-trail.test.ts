import { beforeEach, describe, expect, it } from 'vitest';
import { AppError } from '../../shared/errors.ts';
import type { AuditEntry } from '../../shared/model/audit.ts';
import { silentLog } from '../../shared/platform/log.ts';
import { AuditTrail, type Origin } from './audit-trail.ts';

const ALICE: Origin = {
  actor: { userId: 'user-1', username: 'alice', token: null },
  address: '10.0.0.7',
  requestId: 'req-1',
};
const NOBODY: Origin = { actor: null, address: '10.0.0.8', requestId: 'req-2' };

let kept: AuditEntry[];
let isAway: boolean;
let now: number;
let trail: AuditTrail;
beforeEach(() => {
  kept = [];
  isAway = false;
  now = 0;
  trail = new AuditTrail({
    store: {
      append: async (entries) => {
        if (isAway) throw new AppError('store_unavailable', 'away', { retryable: true });
        kept.push(...entries);
      },
      list: async () => kept,
      prune: async () => 0,
    },
    clock: { now: () => 1_700_000_000_000 + now, monotonic: () => now },
    log: silentLog(),
  });
});

const change = (origin: Origin, work: () => Promise<unknown> = async () => 'done') =>
  trail.note(origin, { action: 'user.change', target: 'bob', details: { role: 'admin' } }, work);
const refused = (code: ConstructorParameters<typeof AppError>[0]) => async () => {
  throw new AppError(code, 'no');
};

describe('a deed', () => {
  it('is in the store before its answer, with who did it and what came of it', async () => {
    expect(await change(ALICE)).toBe('done');
    expect(kept).toMatchObject([
      {
        ...ALICE,
        action: 'user.change',
        target: 'bob',
        outcome: 'done',
        code: null,
        details: { role: 'admin' },
      },
    ]);
  });

  it.each([
    ['forbidden', 'denied'],
    ['quota_exceeded', 'denied'],
    ['conflict', 'failed'],
    ['store_unavailable', 'failed'],
  ] as const)('that ends with %s is %s, and ends as it did', async (code, outcome) => {
    await expect(change(ALICE, refused(code))).rejects.toMatchObject({ code });
    expect(kept).toMatchObject([{ outcome, code }]);
  });

  it('that ends with a fault of ours is written down, too', async () => {
    await expect(change(ALICE, () => Promise.reject(new Error('oops')))).rejects.toThrow('oops');
    expect(kept).toMatchObject([{ outcome: 'failed', code: 'internal' }]);
  });

  it('of many targets has an entry for each, with what only the result tells', async () => {
    const told = () => ({ targets: ['task-1', 'task-2'], details: { replayed: true } });
    await trail.note(ALICE, { action: 'task.cancel', details: { force: true } }, async () => 1, told);
    expect(kept).toEqual([]);
    await trail.settle();
    expect(kept.map(({ target, details }) => [target, details])).toEqual([
      ['task-1', { force: true, replayed: true }],
      ['task-2', { force: true, replayed: true }],
    ]);
    expect(new Set(kept.map(({ id }) => id)).size).toBe(2);
  });
});

describe('while the store is away', () => {
  it('deeds go on, and are written down in order when it is back', async () => {
    isAway = true;
    for (let n = 0; n < 3; n += 1) expect(await change(ALICE, async () => n)).toBe(n);
    expect(kept).toEqual([]);
    isAway = false;
    await trail.settle();
    expect(kept).toHaveLength(3);
    expect(kept.map(({ id }) => id)).toEqual(kept.map(({ id }) => id).sort());
  });

  it('what is too much is counted, and the count is written down', async () => {
    isAway = true;
    const targets = Array.from({ length: 10_007 }, (_, n) => `task-${n}`);
    await trail.note(
      ALICE,
      { action: 'task.cancel' },
      async () => 1,
      () => ({ targets }),
    );
    isAway = false;
    await trail.settle();
    expect(kept).toHaveLength(10_001);
    const lost = kept.find(({ action }) => action === 'audit.lost');
    expect(lost).toMatchObject({ actor: null, outcome: 'failed', details: { entries: 7 } });
  });
});

describe('tries of nobody who is known', () => {
  const signIn = (target: string | null, code: 'unauthenticated' | 'locked_out') =>
    trail
      .note(NOBODY, { action: 'account.sign_in', target: async () => target }, refused(code))
      .catch(() => undefined);

  it('under a name that somebody has are all written down', async () => {
    for (let n = 0; n < 3; n += 1) await signIn('alice', 'unauthenticated');
    expect(kept).toMatchObject([1, 2, 3].map(() => ({ target: 'alice', outcome: 'denied' })));
  });

  it.each([
    [null, 'unauthenticated'],
    ['alice', 'locked_out'],
  ] as const)('for %s with %s are written down once a minute, with their number', async (target, code) => {
    for (let n = 0; n < 5; n += 1) await signIn(target, code);
    expect(kept).toMatchObject([{ target, code, details: {} }]);
    now += 60_000;
    await signIn(target, code);
    expect(kept.slice(1)).toMatchObject([{ details: { repeats: 4 } }]);
  });
});
