// What registrations of workers promise.

import { beforeEach, describe, expect, it } from 'vitest';
import { newRegistration, type Registration } from '../../../shared/model/registration.ts';
import type { Store } from '../../../shared/ports/store.ts';
import { ODD_TEXT } from './records.ts';

const makeRegistration = (over: Partial<Registration> = {}): Registration => ({
  ...newRegistration(
    { id: 'worker-3', wish: 'wish-1', address: '[fd00::3]:50052', requestedBy: 'user-1', known: null },
    1_000,
  ),
  ...over,
});

/** The next step of one. */
const tried = (registration: Registration, over: Partial<Registration> = {}): Registration => ({
  ...registration,
  tries: registration.tries + 1,
  lastTryAt: 7,
  fault: { code: 'no_answer', message: ODD_TEXT },
  revision: registration.revision + 1,
  ...over,
});

export function registrations(stores: () => [Store, Store]): void {
  let store: Store['registrations'];
  let other: Store['registrations'];
  beforeEach(() => {
    const [first, second] = stores();
    store = first.registrations;
    other = second.registrations;
  });
  const ids = (records: readonly { id: string }[]) => records.map(({ id }) => id);

  describe('registrations', () => {
    it('come back exact, in order of id, and one takes the place of another of the same worker', async () => {
      const first = makeRegistration({ replaces: 'life-1', takenInAt: 5 });
      const next = makeRegistration({ wish: 'wish-2', address: '10.0.0.4:1', revision: 1 });
      await store.put(tried(first));
      expect(await other.get('worker-3')).toStrictEqual(tried(first));
      await other.put(next);
      await store.put(makeRegistration({ id: 'worker-1' }));
      expect(await store.get('worker-3')).toStrictEqual(next);
      expect(ids(await other.list())).toEqual(['worker-1', 'worker-3']);
      expect(await store.get('none')).toBeNull();
    });

    it('are due when their time has come, the longest overdue first', async () => {
      for (const [id, nextAt] of [
        ['d', 30],
        ['b', 10],
        ['a', 10],
        ['c', 20],
        ['late', 31],
      ] as const) {
        await store.put(makeRegistration({ id, nextAt }));
      }
      expect(ids(await other.due(30, 10))).toEqual(['a', 'b', 'c', 'd']);
      expect(ids(await other.due(30, 3))).toEqual(['a', 'b', 'c']);
      expect(await other.due(9, 10)).toEqual([]);
      expect(await store.commit(tried(makeRegistration({ id: 'a', nextAt: 99 })))).toBe(true);
      expect(ids(await other.due(30, 10))).toEqual(['b', 'c', 'd']);
    });

    it('change over the revision the step was made from, of the same wish, and over no other', async () => {
      const first = makeRegistration();
      await store.put(first);
      const second = tried(first);
      expect(await other.commit(second)).toBe(true);
      expect(await store.get(first.id)).toStrictEqual(second);
      expect(await store.commit(tried(first))).toBe(false);
      expect(await store.commit(tried(second, { wish: 'wish-2' }))).toBe(false);
      expect(await store.commit(tried(makeRegistration({ id: 'none' })))).toBe(false);
      expect(await other.get('none')).toBeNull();
      expect(await store.get(first.id)).toStrictEqual(second);
    });

    it('are taken up by one of several', async () => {
      const first = makeRegistration();
      await store.put(first);
      const steps = [1, 2, 3, 4].map((n) => tried(first, { nextAt: n }));
      const won = await Promise.all(steps.map((next, n) => (n % 2 ? store : other).commit(next)));
      expect(won.filter(Boolean)).toHaveLength(1);
      expect(await store.get(first.id)).toStrictEqual(steps[won.indexOf(true)]);
    });

    it('are removed, or only those of one wish', async () => {
      await store.put(makeRegistration());
      expect(await other.remove('worker-3', 'wish-2')).toBe(false);
      expect(await other.remove('worker-3', 'wish-1')).toBe(true);
      expect(await other.remove('worker-3')).toBe(false);
      await store.put(makeRegistration());
      expect(await other.remove('worker-3')).toBe(true);
      expect(await store.list()).toEqual([]);
    });
  });
}
