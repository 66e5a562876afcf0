// What the record of who did what promises.

import { beforeEach, describe, expect, it } from 'vitest';
import type { AuditEntry } from '../../../shared/model/audit.ts';
import { auditIdFloor } from '../../../shared/platform/ids.ts';
import type { AuditFilter } from '../../../shared/ports/audit-store.ts';
import type { Store } from '../../../shared/ports/store.ts';
import { ODD_TEXT } from './records.ts';

const NOW = 1_700_000_000_000;
const ALICE = { userId: 'user-1', username: 'alice', token: { id: 'token-1', name: ODD_TEXT } };
const BOB = { userId: 'user-2', username: 'bob', token: null };

let made = 0;

/** In the order in which they are made, whatever ids this process has made before. */
function idAt(at: number): string {
  made += 1;
  return `${auditIdFloor(at)}${String(made).padStart(16, '0')}`;
}

function makeEntry(at: number, over: Partial<AuditEntry> = {}): AuditEntry {
  return {
    id: idAt(at),
    at,
    actor: ALICE,
    address: '10.0.0.7',
    requestId: 'req-1',
    action: 'task.submit',
    target: 'task-1',
    outcome: 'done',
    code: null,
    details: { text: ODD_TEXT, tasks: 2 },
    ...over,
  };
}

export function audit(stores: () => [Store, Store]): void {
  let store: Store;
  let other: Store;
  beforeEach(() => {
    [store, other] = stores();
  });
  const ids = async (filter: AuditFilter, page: { limit?: number; before?: string } = {}) =>
    (await other.audit.list(filter, { limit: 99, ...page })).map(({ id }) => id);

  describe('the audit log', () => {
    it('gives back what was appended, exactly, the newest first, page by page', async () => {
      const entries = [
        makeEntry(NOW),
        makeEntry(NOW, { actor: null, address: null, requestId: null, target: null }),
        makeEntry(NOW + 1, { outcome: 'denied', code: 'forbidden', target: ODD_TEXT }),
      ];
      await store.audit.append(entries);
      await store.audit.append([]);
      const newestFirst = entries.toReversed();
      expect(await other.audit.list({}, { limit: 9 })).toStrictEqual(newestFirst);
      expect(await other.audit.list({}, { limit: 2 })).toStrictEqual(newestFirst.slice(0, 2));
      const before = newestFirst[1]?.id;
      expect(await other.audit.list({}, { limit: 2, before })).toStrictEqual(newestFirst.slice(2));
    });

    it('keeps an entry as it was when it is appended again', async () => {
      const entry = makeEntry(NOW);
      await Promise.all([store, other].map((one) => one.audit.append([entry, makeEntry(NOW + 1)])));
      await other.audit.append([{ ...entry, target: 'another' }, makeEntry(NOW + 2)]);
      expect(await store.audit.list({ to: NOW + 1 }, { limit: 9 })).toStrictEqual([entry]);
      expect(await ids({})).toHaveLength(4);
    });

    it('is found by actor, action, target and time, each with each', async () => {
      const all = [
        makeEntry(NOW),
        makeEntry(NOW + 1, { actor: BOB }),
        makeEntry(NOW + 2, { action: 'task.cancel' }),
        makeEntry(NOW + 3, { action: 'task.cancel', actor: BOB, target: 'task-2' }),
        makeEntry(NOW + 4, { action: 'user.change', target: ODD_TEXT }),
        makeEntry(NOW + 5, { action: 'account.sign_in', actor: null, target: 'alice' }),
      ];
      await store.audit.append(all);
      const filters: AuditFilter[] = [undefined, 'user-1', 'user-2', 'user-9'].flatMap((actorId) =>
        [undefined, ['task.submit'], ['task.cancel', 'user.change']].flatMap((actions) =>
          [undefined, 'task-1', ODD_TEXT].flatMap((target) =>
            [undefined, NOW + 1].map((from): AuditFilter => {
              const to = from === undefined ? undefined : NOW + 4;
              return { actorId, actions: actions as AuditFilter['actions'], target, from, to };
            }),
          ),
        ),
      );
      const newestFirst = all.toReversed();
      for (const filter of filters) {
        const wanted = newestFirst.filter((entry) => matches(entry, filter)).map(({ id }) => id);
        expect(await ids(filter), JSON.stringify(filter)).toEqual(wanted);
        expect(await ids(filter, { limit: 1 })).toEqual(wanted.slice(0, 1));
        const [first] = wanted;
        if (first !== undefined) expect(await ids(filter, { before: first })).toEqual(wanted.slice(1));
      }
    });

    it('drops the oldest, no more than asked for', async () => {
      const entries = Array.from({ length: 10 }, (_, n) => makeEntry(NOW + n));
      await store.audit.append(entries);
      expect(await store.audit.prune(NOW + 7, 5)).toBe(5);
      expect(await ids({})).toEqual(
        entries
          .slice(5)
          .map(({ id }) => id)
          .reverse(),
      );
      expect(await other.audit.prune(NOW + 7, 5)).toBe(2);
      expect(await other.audit.prune(NOW + 7, 5)).toBe(0);
      expect(await ids({})).toHaveLength(3);
    });
  });
}

function matches(entry: AuditEntry, { actorId, actions, target, from, to }: AuditFilter): boolean {
  return (
    (actorId === undefined || entry.actor?.userId === actorId) &&
    (actions === undefined || actions.includes(entry.action)) &&
    (target === undefined || entry.target === target) &&
    (from === undefined || entry.at >= from) &&
    (to === undefined || entry.at < to)
  );
}
