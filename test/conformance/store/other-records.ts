// What the records of workers, users and tokens promise, and the leadership term.

import { beforeEach, describe, expect, it } from 'vitest';
import type { ApiToken, User } from '../../../shared/model/user.ts';
import { NO_QUOTA } from '../../../shared/model/user.ts';
import { ADMIN_CLAIM_MS, type Store } from '../../../shared/ports/store.ts';
import { makeRegistration } from '../../support/tasks.ts';
import { ODD_TEXT } from './records.ts';

const makeUser = (over: Partial<User> = {}): User => ({
  id: 'user-1',
  username: 'Alice',
  passwordHash: `scrypt$${ODD_TEXT}`,
  role: 'user',
  createdAt: 1_700_000_000_000,
  disabled: false,
  quota: NO_QUOTA,
  signInEpoch: 0,
  endedSignIns: [{ id: 'gone', until: 2 ** 45 }],
  revision: 0,
  ...over,
});

const makeToken = (over: Partial<ApiToken> = {}): ApiToken => ({
  id: 'token-1',
  userId: 'user-1',
  name: ODD_TEXT,
  hash: 'ab12',
  createdAt: 5,
  lastUsedAt: null,
  ...over,
});

export function otherRecords(stores: () => [Store, Store]): void {
  let store: Store;
  let other: Store;
  beforeEach(() => {
    [store, other] = stores();
  });

  describe('workers', () => {
    it('are up when new, and keep maintenance and liveness when they register again', async () => {
      const first = makeRegistration({ labels: { 'a.b/c': ODD_TEXT, $x: '1' }, gpuIds: ['g0'] });
      const fresh = {
        ...first,
        maintenance: 'none',
        drainUntil: null,
        liveness: 'up',
        livenessAt: first.registeredAt,
      };
      expect(await store.workers.register(first)).toStrictEqual(fresh);
      expect(await other.workers.setMaintenance(first.id, 'draining')).toMatchObject({
        maintenance: 'draining',
      });
      expect(await other.workers.setLiveness(first.id, 'down', 99)).toMatchObject({
        liveness: 'down',
        livenessAt: 99,
      });
      const again = makeRegistration({ incarnation: 'life-2', labels: {}, registeredAt: 5 });
      const kept = { ...again, maintenance: 'draining', drainUntil: null, liveness: 'down', livenessAt: 99 };
      expect(await store.workers.register(again)).toStrictEqual(kept);
      expect(await other.workers.get(first.id)).toStrictEqual(kept);
    });

    it('are drained until a time, which goes with draining alone', async () => {
      const { id } = await store.workers.register(makeRegistration());
      const drained = { maintenance: 'draining', drainUntil: 2 ** 41 };
      expect(await other.workers.setMaintenance(id, 'draining', 2 ** 41)).toMatchObject(drained);
      expect(await store.workers.register(makeRegistration({ incarnation: 'life-2' }))).toMatchObject(
        drained,
      );
      expect(await store.workers.setLiveness(id, 'up', 7)).toMatchObject(drained);
      expect(await other.workers.list()).toMatchObject([drained]);
      for (const maintenance of ['draining', 'cordoned', 'none'] as const) {
        await store.workers.setMaintenance(id, 'draining', 5);
        const until = maintenance === 'draining' ? null : 9;
        const changed = await other.workers.setMaintenance(id, maintenance, until);
        expect(changed).toMatchObject({ maintenance, drainUntil: null });
        expect(await store.workers.get(id)).toStrictEqual(changed);
      }
    });

    it('are listed in order of id and can be removed', async () => {
      for (const id of ['w-b', 'w-a', 'w-c']) await store.workers.register(makeRegistration({ id }));
      expect((await other.workers.list()).map(({ id }) => id)).toEqual(['w-a', 'w-b', 'w-c']);
      expect(await store.workers.remove('w-b')).toBe(true);
      expect(await store.workers.remove('w-b')).toBe(false);
      expect(await other.workers.get('w-b')).toBeNull();
    });

    it('that are not there are not made by a change', async () => {
      expect(await store.workers.setMaintenance('none', 'cordoned')).toBeNull();
      expect(await store.workers.setLiveness('none', 'down', 1)).toBeNull();
      expect(await store.workers.list()).toEqual([]);
    });

    it('may register from many places at once', async () => {
      const all = await Promise.all(
        Array.from({ length: 8 }, (_, n) => (n % 2 ? store : other).workers.register(makeRegistration())),
      );
      expect(all).toHaveLength(8);
      expect(await store.workers.list()).toHaveLength(1);
    });
  });

  describe('users', () => {
    it('are found by id and by name in any case, and come back exact', async () => {
      const user = makeUser({ username: 'Ünï-Code' });
      expect(await store.users.insert(user)).toBe(true);
      expect(await other.users.get(user.id)).toStrictEqual(user);
      expect(await other.users.findByUsername('ÜNÏ-CODE')).toStrictEqual(user);
      expect(await store.users.get('none')).toBeNull();
      expect(await store.users.findByUsername('none')).toBeNull();
    });

    it('have a name that no other has in any case', async () => {
      const tries = await Promise.all(
        ['alice', 'ALICE', 'Alice', 'aLICE'].map((username, n) =>
          (n % 2 ? store : other).users.insert(makeUser({ id: `user-${n}`, username })),
        ),
      );
      expect(tries.filter(Boolean)).toHaveLength(1);
    });

    it('have one first admin, ever', async () => {
      const claims = await Promise.all(
        Array.from({ length: 10 }, (_, n) =>
          (n % 2 ? store : other).users.claimFirstAdmin({ userId: `user-${n}`, at: 1_000 + n }),
        ),
      );
      expect(claims.filter(Boolean)).toHaveLength(1);
      const userId = `user-${claims.indexOf(true)}`;
      expect(await other.users.claimFirstAdmin({ userId, at: 2_000 })).toBe(true);
      expect(await other.users.claimFirstAdmin({ userId: 'user-late', at: 2_000 })).toBe(false);
      await store.users.insert(makeUser({ id: userId, username: 'first' }));
      const muchLater = 2_000 + 2 * ADMIN_CLAIM_MS;
      expect(await other.users.claimFirstAdmin({ userId: 'user-late', at: muchLater })).toBe(false);
    });

    it('give the right to be the first admin to another when its holder never came', async () => {
      expect(await store.users.claimFirstAdmin({ userId: 'user-gone', at: 1_000 })).toBe(true);
      const soon = 1_000 + ADMIN_CLAIM_MS;
      expect(await other.users.claimFirstAdmin({ userId: 'user-next', at: soon })).toBe(false);
      const claims = await Promise.all(
        ['user-a', 'user-b', 'user-c', 'user-d'].map((userId, n) =>
          (n % 2 ? store : other).users.claimFirstAdmin({ userId, at: soon + 1 + n }),
        ),
      );
      expect(claims.filter(Boolean)).toHaveLength(1);
    });
  });

  describe('tokens', () => {
    it('are found by hash, listed oldest first, touched and removed by their user', async () => {
      const old = makeToken({ id: 'token-b', hash: 'h1', createdAt: 1 });
      const young = makeToken({ id: 'token-a', hash: 'h2', createdAt: 2 });
      const foreign = makeToken({ id: 'token-c', hash: 'h3', userId: 'user-2' });
      for (const token of [young, old, foreign]) await store.users.insertToken(token);
      expect(await other.users.findTokenByHash('h1')).toStrictEqual(old);
      expect(await other.users.findTokenByHash('none')).toBeNull();
      expect(await other.users.listTokens('user-1')).toStrictEqual([old, young]);
      await other.users.touchToken(old.id, 77);
      expect(await store.users.findTokenByHash('h1')).toStrictEqual({ ...old, lastUsedAt: 77 });
      expect(await store.users.removeToken('user-1', foreign.id)).toBe(false);
      expect(await store.users.removeToken('user-2', foreign.id)).toBe(true);
      expect(await other.users.findTokenByHash('h3')).toBeNull();
    });
  });

  describe('the leadership term', () => {
    it('only grows, whoever asks', async () => {
      const first = await store.nextTerm();
      const terms = await Promise.all(
        Array.from({ length: 12 }, (_, n) => (n % 2 ? store : other).nextTerm()),
      );
      expect(new Set(terms).size).toBe(12);
      expect(Math.min(...terms)).toBeGreaterThan(first);
      expect(await other.nextTerm()).toBeGreaterThan(Math.max(...terms));
    });
  });
}
