import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { silentLog } from '../../shared/platform/log.ts';
import { OpenSessions } from './open-sessions.ts';

let now = 1_000_000;
let known: Record<string, string[]> = {};
let accounts: Record<string, { fault?: string; role?: 'admin' | 'user'; signInEpoch?: number }> = {};
let asked: string[] = [];
let open: OpenSessions;

beforeEach(() => {
  vi.useFakeTimers();
  accounts = {};
  asked = [];
  known = { alice: ['t1', 't2'], bob: ['t3'] };
  open = new OpenSessions(
    {
      listApiTokens: async ({ userId }) =>
        (known[userId] ?? []).map((id) => ({
          id,
          userId,
          name: '',
          hash: '',
          createdAt: 0,
          lastUsedAt: null,
        })),
      standing: async ({ userId }, { epoch }) => {
        asked.push(userId);
        const { fault = null, role = 'user', signInEpoch = 0 } = accounts[userId] ?? {};
        return { fault: epoch !== null && epoch !== signInEpoch ? 'was ended' : fault, role };
      },
    },
    { now: () => now, monotonic: () => now },
    silentLog(),
  );
  open.start();
});
afterEach(() => {
  open.stop();
  vi.useRealTimers();
});

function session(userId: string, tokenId: string | null, expiresAt: number | null = null) {
  const ended: string[] = [];
  const principal = { userId, username: userId, role: 'user' as const };
  const forget = open.add({
    caller: { principal, tokenId, expiresAt, epoch: tokenId === null ? 0 : null, signInId: null },
    end: ({ message }) => {
      ended.push(message);
      forget();
    },
    again: () => {
      ended.push('again');
      forget();
    },
  });
  return ended;
}

async function pass(ms: number): Promise<void> {
  now += ms;
  await vi.advanceTimersByTimeAsync(1_000);
}

describe('what is open by virtue of a token', () => {
  it('ends within a second of its expiry', async () => {
    const [soon, later, never] = [
      session('alice', null, now + 5_000),
      session('alice', null, now + 60 * 86_400_000),
      session('alice', 't1'),
    ];
    await pass(4_900);
    expect(soon).toEqual([]);
    await pass(100);
    expect(soon).toEqual([expect.stringContaining('expired')]);
    await pass(1_000);
    expect(soon).toHaveLength(1);
    expect([later, never]).toEqual([[], []]);
  });

  it('ends when its API token is taken back', () => {
    const [one, other, jwt] = [session('alice', 't1'), session('alice', 't2'), session('alice', null)];
    open.endToken('t1');
    expect(one).toEqual([expect.stringContaining('taken back')]);
    expect([other, jwt]).toEqual([[], []]);
  });

  it('is looked up in the store now and then', async () => {
    const all = [session('alice', 't1'), session('alice', 't2'), session('bob', 't3'), session('bob', null)];
    known.alice = ['t2'];
    await pass(4_000);
    expect(all.flat()).toEqual([]);
    await pass(1_000);
    expect(all).toEqual([[expect.stringContaining('taken back')], [], [], []]);
  });

  it('ends with its account, and with the sign-ins of it', async () => {
    const [jwt, token, other] = [session('alice', null), session('alice', 't1'), session('bob', null)];
    accounts.alice = { signInEpoch: 1 };
    await open.checkAccount('alice');
    expect([jwt, token, other]).toEqual([['was ended'], [], []]);
    accounts.alice = { signInEpoch: 1, fault: 'is disabled' };
    await open.checkAccount('alice');
    expect([jwt, token, other]).toEqual([['was ended'], ['is disabled'], []]);
  });

  it('comes in anew when its role is another one', async () => {
    const all = [session('alice', null), session('alice', 't1'), session('bob', null)];
    accounts.alice = { role: 'admin' };
    await open.checkAccount('alice');
    expect(all).toEqual([['again'], ['again'], []]);
  });

  it('is looked at when it comes: what changed while it was let in nobody tells any more', async () => {
    accounts = { alice: { role: 'admin' }, bob: { fault: 'is disabled' } };
    const all = [session('alice', null), session('bob', null), session('carol', null)];
    await pass(0);
    expect(all).toEqual([['again'], ['is disabled'], []]);
  });

  it('has its account looked at every few seconds, once for all that is open', async () => {
    const all = [session('alice', null), session('alice', 't1'), session('bob', null)];
    accounts.bob = { fault: 'is disabled' };
    // Each was looked at when it came.
    asked = [];
    await pass(4_000);
    expect([asked, all.flat()]).toEqual([[], []]);
    await pass(1_000);
    expect(asked.filter((id) => id === 'bob')).toHaveLength(1);
    expect(all).toEqual([[], [], ['is disabled']]);
  });

  it('is kept when the store is away', async () => {
    const broken = new OpenSessions(
      {
        listApiTokens: () => Promise.reject(new Error('away')),
        standing: () => Promise.reject(new Error('away')),
      },
      { now: () => now, monotonic: () => now },
      silentLog(),
    );
    const ended: string[] = [];
    broken.add({
      caller: {
        principal: { userId: 'a', username: 'a', role: 'user' },
        tokenId: 't',
        expiresAt: null,
        epoch: null,
        signInId: null,
      },
      end: ({ message }) => ended.push(message),
      again: () => ended.push('again'),
    });
    broken.start();
    await pass(31_000);
    expect(ended).toEqual([]);
    broken.stop();
  });
});
