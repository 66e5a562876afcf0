import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { silentLog } from '../../shared/platform/log.ts';
import { OpenSessions } from './open-sessions.ts';

let now = 1_000_000;
let known: Record<string, string[]> = {};
let open: OpenSessions;

beforeEach(() => {
  vi.useFakeTimers();
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
    caller: { principal, tokenId, expiresAt },
    end: ({ message }) => {
      ended.push(message);
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
    await pass(29_000);
    expect(all.flat()).toEqual([]);
    await pass(1_000);
    expect(all).toEqual([[expect.stringContaining('taken back')], [], [], []]);
  });

  it('is kept when the store is away', async () => {
    const broken = new OpenSessions(
      { listApiTokens: () => Promise.reject(new Error('away')) },
      { now: () => now, monotonic: () => now },
      silentLog(),
    );
    const ended: string[] = [];
    broken.add({
      caller: { principal: { userId: 'a', username: 'a', role: 'user' }, tokenId: 't', expiresAt: null },
      end: ({ message }) => ended.push(message),
    });
    broken.start();
    await pass(31_000);
    expect(ended).toEqual([]);
    broken.stop();
  });
});
