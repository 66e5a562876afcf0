// What the records of accounts promise that change and are listed, and what is counted for quotas.

import { beforeEach, describe, expect, it } from 'vitest';
import type { FileRecord } from '../../../shared/model/file.ts';
import { NO_QUOTA, newUser, type User } from '../../../shared/model/user.ts';
import type { Store } from '../../../shared/ports/store.ts';
import { makeTask } from '../../support/tasks.ts';
import { assigned, ODD_TEXT, started } from './records.ts';

const makeUser = (username: string, over: Partial<User> = {}): User => ({
  ...newUser({ id: `user-${username}`, username, passwordHash: ODD_TEXT, role: 'user', createdAt: 1 }),
  ...over,
});

const makeUpload = (ownerId: string, path: string, sizeBytes: number): FileRecord => ({
  id: `file-${ownerId}-${path}`,
  ownerId,
  taskId: null,
  attempt: null,
  path,
  sizeBytes,
  contentType: 'text/plain',
  sha256: '00',
  createdAt: 1,
});

export function accounts(stores: () => [Store, Store]): void {
  let store: Store;
  let other: Store;
  beforeEach(() => {
    [store, other] = stores();
  });

  const inserted = async (...users: User[]) => {
    for (const user of users) expect(await store.users.insert(user)).toBe(true);
  };

  describe('an account', () => {
    it('changes over the revision it was made from, and keeps its id and its name', async () => {
      const user = makeUser('Alice');
      await inserted(user);
      const next: User = {
        ...user,
        passwordHash: 'other',
        quota: {
          unfinishedTasks: 0,
          uploadStorageMb: 2 ** 40,
          cpuMillis: 1,
          memoryMb: 2 ** 30,
          gpus: 0,
          rateLimitReads: 0,
          rateLimitWrites: 1_000_000,
        },
        signInEpoch: 3,
        disabled: true,
        revision: 1,
      };
      expect(await other.users.commit(next)).toBe('written');
      expect(await store.users.get(user.id)).toStrictEqual(next);
      expect(await store.users.findByUsername('ALICE')).toStrictEqual(next);
      expect(await store.users.commit({ ...user, revision: 1 })).toBe('stale');
      expect(await store.users.commit({ ...user, revision: 3 })).toBe('stale');
      expect(await store.users.commit(makeUser('nobody', { revision: 1 }))).toBe('stale');
      expect(await store.users.get(user.id)).toStrictEqual(next);
    });

    it('is changed by one of several who try at once', async () => {
      const user = makeUser('alice');
      await inserted(user);
      const tries = await Promise.all(
        Array.from({ length: 8 }, (_, n) =>
          (n % 2 ? store : other).users.commit({ ...user, signInEpoch: n, revision: 1 }),
        ),
      );
      expect(tries.filter((outcome) => outcome === 'written')).toHaveLength(1);
      expect(await store.users.get(user.id)).toMatchObject({ signInEpoch: tries.indexOf('written') });
    });
  });

  describe('the last active admin', () => {
    const demoted = (user: User): User => ({ ...user, role: 'user', revision: user.revision + 1 });
    const disabled = (user: User): User => ({ ...user, disabled: true, revision: user.revision + 1 });

    it('stays one, and changes in every other way', async () => {
      const [boss, gone] = [
        makeUser('boss', { role: 'admin' }),
        makeUser('gone', { role: 'admin', disabled: true }),
      ];
      await inserted(boss, gone, makeUser('alice'));
      expect(await store.users.commit(demoted(boss))).toBe('last_admin');
      expect(await other.users.commit(disabled(boss))).toBe('last_admin');
      expect(await store.users.get(boss.id)).toStrictEqual(boss);
      const renewed = { ...boss, passwordHash: 'new', revision: 1 };
      expect(await store.users.commit(renewed)).toBe('written');
      // Who is none loses nothing.
      expect(await store.users.commit(demoted(gone))).toBe('written');
      const back: User = { ...gone, role: 'admin', disabled: false, revision: 2 };
      expect(await other.users.commit(back)).toBe('written');
      expect(await store.users.commit(disabled(renewed))).toBe('written');
      expect(await store.users.commit(demoted(back))).toBe('last_admin');
    });

    it('is left over, whoever take the right from one another at once', async () => {
      const admins = ['a', 'b', 'c'].map((name) => makeUser(name, { role: 'admin' }));
      await inserted(...admins);
      const take = async (n: number, at: Store): Promise<string> => {
        for (;;) {
          const now = await at.users.get(admins[n]?.id ?? '');
          if (now?.role !== 'admin' || now.disabled) return 'written';
          const outcome = await at.users.commit(n % 2 ? demoted(now) : disabled(now));
          if (outcome !== 'stale') return outcome;
        }
      };
      const outcomes = await Promise.all([
        take(0, store),
        take(1, other),
        take(2, store),
        take(0, other),
        take(1, store),
        take(2, other),
      ]);
      expect(outcomes).toContain('last_admin');
      const { users } = await store.users.list({}, { limit: 10 });
      expect(users.filter(({ role, disabled: off }) => role === 'admin' && !off)).toHaveLength(1);
    });
  });

  describe('a list of accounts', () => {
    const names = async (text: string | undefined, limit: number) => {
      const found: string[] = [];
      let after: string | undefined;
      do {
        const page = await other.users.list({ text }, { limit, after });
        expect(page.users.length).toBeLessThanOrEqual(limit);
        found.push(...page.users.map(({ username }) => username));
        after = page.next ?? undefined;
      } while (after !== undefined);
      return found;
    };

    it('is in order of name, whatever the case, and comes in pages', async () => {
      expect(await names(undefined, 5)).toEqual([]);
      await inserted(...['delta', 'Alpha', 'charlie', 'BRAVO', 'echo'].map((name) => makeUser(name)));
      for (const limit of [1, 2, 5, 9]) {
        expect(await names(undefined, limit)).toEqual(['Alpha', 'BRAVO', 'charlie', 'delta', 'echo']);
      }
      // The one that the cursor names may be gone.
      const { users } = await store.users.list({}, { limit: 1, after: 'CAT' });
      expect(users).toStrictEqual([makeUser('charlie')]);
    });

    it('is narrowed by any part of the name, which is no pattern', async () => {
      await inserted(...['anna.b', 'annaxb', 'Hanna_B', 'bob', 'per%cent'].map((name) => makeUser(name)));
      expect(await names('ANNA', 1)).toEqual(['anna.b', 'annaxb', 'Hanna_B']);
      expect(await names('a.b', 5)).toEqual(['anna.b']);
      expect(await names('_', 5)).toEqual(['Hanna_B']);
      expect(await names('%', 5)).toEqual(['per%cent']);
      expect(await names('.*', 5)).toEqual([]);
      expect(await names('', 9)).toHaveLength(5);
    });
  });

  describe('limits of what tasks may hold', () => {
    it('are those of all accounts that have any, as they are now', async () => {
      const limited = (username: string, quota: Partial<User['quota']>) =>
        makeUser(username, { quota: { ...NO_QUOTA, ...quota } });
      const anna = limited('anna', { cpuMillis: 0, unfinishedTasks: 5 });
      await inserted(
        anna,
        limited('bob', { gpus: 2, memoryMb: 2 ** 40 }),
        limited('carl', { unfinishedTasks: 5, uploadStorageMb: 5 }),
        makeUser('dora'),
        limited('emil', { memoryMb: 1 }),
      );
      const none = { cpuMillis: null, memoryMb: null, gpus: null };
      const bobs = ['user-bob', { ...none, gpus: 2, memoryMb: 2 ** 40 }] as const;
      const read = async () => [...(await other.users.resourceQuotas())].sort(([a], [b]) => (a < b ? -1 : 1));
      expect(await read()).toStrictEqual([
        ['user-anna', { ...none, cpuMillis: 0 }],
        bobs,
        ['user-emil', { ...none, memoryMb: 1 }],
      ]);
      expect(await store.users.commit({ ...anna, quota: NO_QUOTA, revision: 1 })).toBe('written');
      const dora = { ...limited('dora', { gpus: 1 }), revision: 1 };
      expect(await store.users.commit(dora)).toBe('written');
      expect(await store.users.commit({ ...dora, quota: NO_QUOTA })).toBe('stale');
      expect(await read()).toStrictEqual([
        bobs,
        ['user-dora', { ...none, gpus: 1 }],
        ['user-emil', { ...none, memoryMb: 1 }],
      ]);
    });
  });

  describe('what counts against quotas', () => {
    it('are tasks that have not ended and uploads, of each owner', async () => {
      const of = (ownerId: string) => ({ ownerId });
      const running = started(assigned(makeTask({}, of('user-a'))));
      const done = { ...started(assigned(makeTask({}, of('user-a')))), state: 'completed' as const };
      await store.tasks.insert([makeTask({}, of('user-a')), assigned(makeTask({}, of('user-a'))), running]);
      await store.tasks.insert([done]);
      await store.tasks.insert([makeTask({}, of('user-b'))]);
      await store.files.put([
        makeUpload('user-a', 'x', 2 ** 33),
        makeUpload('user-a', 'y', 5),
        { ...makeUpload('user-a', 'z', 7), taskId: 'task-1', attempt: 1 },
        makeUpload('user-b', 'x', 1),
      ]);
      const asked = ['user-a', 'user-c'];
      const unfinished = await other.tasks.countUnfinished(asked);
      expect([unfinished.get('user-a'), unfinished.get('user-b'), unfinished.get('user-c') ?? 0]).toEqual([
        3,
        undefined,
        0,
      ]);
      const bytes = await other.files.uploadBytes(asked);
      expect([bytes.get('user-a'), bytes.get('user-b'), bytes.get('user-c') ?? 0]).toEqual([
        2 ** 33 + 5,
        undefined,
        0,
      ]);
      expect([...(await store.tasks.countUnfinished([]))]).toEqual([]);
      expect([...(await store.files.uploadBytes([]))]).toEqual([]);
    });

    it('keeps tasks out that are too many, all or none, but no repetition of a submission', async () => {
      const key = (idempotencyKey: string) => makeTask({}, { ownerId: 'user-a', idempotencyKey });
      const [one, two] = [key('k#0'), key('k#1')];
      expect(await store.tasks.insert([one, two], 1)).toEqual({ kind: 'over_limit', unfinished: 0 });
      expect(await store.tasks.insert([one, two], 2)).toEqual({ kind: 'inserted' });
      expect(await other.tasks.insert([key('l')], 2)).toEqual({ kind: 'over_limit', unfinished: 2 });
      expect(await other.tasks.insert([key('k#0'), key('k#1')], 2)).toEqual({
        kind: 'duplicate',
        existing: [one, two],
      });
      // Others have a limit of their own.
      expect((await store.tasks.insert([makeTask({}, { ownerId: 'user-b' })], 1)).kind).toBe('inserted');
      expect((await store.tasks.insert([key('m')], 3)).kind).toBe('inserted');
      expect((await store.tasks.insert([key('n')])).kind).toBe('inserted');
      expect((await store.tasks.countUnfinished(['user-a'])).get('user-a')).toBe(4);
    });
  });
}
