// What writes to tasks promise.

import { beforeEach, describe, expect, it } from 'vitest';
import { requestCancel } from '../../../shared/model/task-life.ts';
import { TERMINAL_STATES, UNFINISHED_STATES } from '../../../shared/model/task-states.ts';
import type { Store } from '../../../shared/ports/store.ts';
import { makeTask, taken } from '../../support/tasks.ts';
import { assigned, inState, ODD_SPEC, ODD_TEXT, started } from './records.ts';

export function taskWrites(stores: () => [Store, Store]): void {
  let store: Store;
  let other: Store;
  beforeEach(() => {
    [store, other] = stores();
  });

  describe('insert', () => {
    it('gives records back as they were put in', async () => {
      const odd = makeTask(ODD_SPEC, {
        message: ODD_TEXT,
        cancel: { requestedAt: 1, requestedBy: ODD_TEXT, force: true },
        idempotencyKey: 'key ä',
        requestHash: 'ff',
        notBefore: 2 ** 52,
      });
      const done = {
        ...started(assigned(makeTask())),
        state: 'completed' as const,
        exitCode: 0,
        finishedAt: 9,
      };
      for (const task of [odd, done]) {
        expect(await store.tasks.insert([task])).toEqual({ kind: 'inserted' });
        expect(await other.tasks.get(task.id)).toStrictEqual(task);
      }
      expect(await store.tasks.get('task-none')).toBeNull();
    });

    it('inserts nothing for nothing', async () => {
      expect(await store.tasks.insert([])).toEqual({ kind: 'inserted' });
    });

    it('inserts all of a batch, seen by other processes', async () => {
      const tasks = Array.from({ length: 120 }, (_, n) => makeTask({ name: `n${n}` }));
      expect(await store.tasks.insert(tasks)).toEqual({ kind: 'inserted' });
      const found = await other.tasks.getMany([...tasks.map(({ id }) => id), 'task-none']);
      expect(found.sort((a, b) => (a.id < b.id ? -1 : 1))).toStrictEqual(tasks);
    });

    it('inserts nothing when one idempotency key is taken, and returns who holds them in order', async () => {
      const [a, b] = [makeTask({}, { idempotencyKey: 'a' }), makeTask({}, { idempotencyKey: 'b' })];
      await store.tasks.insert([a]);
      await store.tasks.insert([b]);
      const fresh = makeTask();
      const batch = [
        makeTask({}, { idempotencyKey: 'b' }),
        fresh,
        makeTask({}, { idempotencyKey: 'c' }),
        makeTask({}, { idempotencyKey: 'a' }),
      ];
      expect(await other.tasks.insert(batch)).toEqual({ kind: 'duplicate', existing: [b, a] });
      expect(await other.tasks.getMany(batch.map(({ id }) => id))).toEqual([]);
      expect((await store.tasks.countByState()).queued).toBe(2);
      // The key that was free still is.
      expect(await store.tasks.insert([makeTask({}, { idempotencyKey: 'c' })])).toEqual({ kind: 'inserted' });
    });

    it('keeps idempotency keys of different owners apart', async () => {
      const mine = makeTask({}, { idempotencyKey: 'k', ownerId: 'user-1' });
      const theirs = makeTask({}, { idempotencyKey: 'k', ownerId: 'user-2' });
      expect(await store.tasks.insert([mine, theirs])).toEqual({ kind: 'inserted' });
    });

    it('refuses a batch that contradicts itself, and an id that is taken', async () => {
      const same = [makeTask({}, { idempotencyKey: 'k' }), makeTask({}, { idempotencyKey: 'k' })];
      await expect(store.tasks.insert(same)).rejects.toMatchObject({ code: 'conflict' });
      const task = makeTask();
      await store.tasks.insert([task]);
      await expect(store.tasks.insert([task])).rejects.toMatchObject({ code: 'conflict' });
      await expect(store.tasks.insert([makeTask(), task])).rejects.toMatchObject({ code: 'conflict' });
      const fresh = makeTask({}, { idempotencyKey: 'free' });
      const taken = { ...task, idempotencyKey: 'last' };
      await expect(store.tasks.insert([fresh, taken])).rejects.toMatchObject({ code: 'conflict' });
      // Nothing of the refused batches is left: no task, no count, no key.
      expect((await other.tasks.list({}, { limit: 10 })).tasks).toStrictEqual([task]);
      expect((await store.tasks.countByState()).queued).toBe(1);
      expect(await other.tasks.insert([fresh])).toEqual({ kind: 'inserted' });
    });

    it('lets one of many submissions with the same keys win', async () => {
      const batch = () => [makeTask({}, { idempotencyKey: 'x' }), makeTask({}, { idempotencyKey: 'y' })];
      const tries = await Promise.all(
        Array.from({ length: 8 }, (_, n) =>
          (n % 2 ? store : other).tasks.insert(n % 3 ? batch() : batch().reverse()),
        ),
      );
      expect(tries.filter(({ kind }) => kind === 'inserted')).toHaveLength(1);
      for (const outcome of tries) if (outcome.kind === 'duplicate') expect(outcome.existing).toHaveLength(2);
      expect((await store.tasks.countByState()).queued).toBe(2);
    });
  });

  describe('commit', () => {
    it('writes over the revision the step was made from, and over no other', async () => {
      const task = makeTask(ODD_SPEC);
      await store.tasks.insert([task]);
      const next = assigned(task);
      expect(await store.tasks.commit(next)).toBe(true);
      expect(await other.tasks.get(task.id)).toStrictEqual(next);
      expect(await other.tasks.commit(next)).toBe(false);
      expect(await other.tasks.commit({ ...next, revision: 9, state: 'failed' })).toBe(false);
      expect(await store.tasks.get(task.id)).toStrictEqual(next);
    });

    it('never rewrites the spec', async () => {
      const task = makeTask({ command: 'first' });
      await store.tasks.insert([task]);
      const next = assigned(task);
      await store.tasks.commit({ ...next, spec: { ...next.spec, command: 'second', priority: 1 } });
      expect((await store.tasks.get(task.id))?.spec).toStrictEqual(task.spec);
    });

    it('does not create', async () => {
      expect(await store.tasks.commit(assigned(makeTask()))).toBe(false);
      expect((await store.tasks.countByState()).assigned).toBe(0);
    });

    it('lets one of several writers from the same record win', async () => {
      let task = makeTask();
      await store.tasks.insert([task]);
      for (let round = 0; round < 10; round += 1) {
        const workers = ['w1', 'w2', 'w3', 'w4', 'w5', 'w6'];
        const steps = workers.map((id) => assigned(task, id));
        const won = await Promise.all(steps.map((next, n) => (n % 2 ? store : other).tasks.commit(next)));
        expect(won.filter(Boolean)).toHaveLength(1);
        expect(await store.tasks.get(task.id)).toStrictEqual(steps[won.indexOf(true)]);
        task = makeTask();
        await store.tasks.insert([task]);
      }
    });
  });

  describe('removing what has ended', () => {
    it('takes records, counts and idempotency keys, and leaves what has not ended', async () => {
      const ended = TERMINAL_STATES.map((state, n) =>
        inState(state, { finishedAt: n, idempotencyKey: `key ${n}` }, ODD_SPEC),
      );
      const unfinished = UNFINISHED_STATES.map((state) => inState(state));
      const kept = inState('completed', { finishedAt: 9 });
      await store.tasks.insert([...ended, ...unfinished, kept]);
      const ids = [...ended, ...unfinished].map(({ id }) => id);
      expect(await other.tasks.removeEnded([...ids, 'task-unknown'])).toBe(ended.length);
      expect(await store.tasks.removeEnded(ids)).toBe(0);
      expect(await store.tasks.removeEnded([])).toBe(0);
      const left = [...unfinished, kept];
      const all = await store.tasks.list({}, { limit: 99 });
      expect(all.tasks.map(({ id }) => id).sort()).toEqual(left.map(({ id }) => id).sort());
      expect(await store.tasks.get(kept.id)).toStrictEqual(kept);
      expect(await store.tasks.ended({ since: 0, limit: 9 })).toStrictEqual([kept]);
      const counts = { queued: 1, assigned: 1, running: 1, completed: 1, failed: 0, cancelled: 0 };
      expect(await other.tasks.countByState()).toEqual(counts);
      const again = ended.map(({ idempotencyKey }) => makeTask({}, { idempotencyKey }));
      expect(await store.tasks.insert(again)).toEqual({ kind: 'inserted' });
      for (const task of again) expect(await other.tasks.get(task.id)).toStrictEqual(task);
    });
  });

  describe('place', () => {
    it('writes each that is unchanged and says which', async () => {
      const tasks = Array.from({ length: 5 }, () => makeTask());
      await store.tasks.insert(tasks);
      const term = await store.nextTerm();
      const [raced] = tasks;
      await other.tasks.commit(taken(requestCancel(raced!, { force: false, requestedBy: 'a', now: 1 })));
      const next = [...tasks.map((task) => assigned(task, 'w1', term)), assigned(makeTask(), 'w1', term)];
      const written = await store.tasks.place(next, term);
      expect([...written].sort()).toEqual(tasks.slice(1).map(({ id }) => id));
      expect((await other.tasks.get(raced!.id))?.state).toBe('cancelled');
      expect(await other.tasks.get(tasks[1]!.id)).toStrictEqual(next[1]);
      // A repeat writes nothing.
      expect(await store.tasks.place(next, term)).toEqual(new Set());
    });

    it('does not count what another writer brought to the same revision', async () => {
      const task = makeTask();
      await store.tasks.insert([task]);
      const term = await store.nextTerm();
      const [a, b] = await Promise.all([
        store.tasks.place([assigned(task, 'w1', term)], term),
        other.tasks.place([assigned(task, 'w2', term)], term),
      ]);
      expect(a.size + b.size).toBe(1);
      expect((await store.tasks.get(task.id))?.workerId).toBe(a.size === 1 ? 'w1' : 'w2');
    });

    it('writes nothing for a term that is over', async () => {
      const task = makeTask();
      await store.tasks.insert([task]);
      const old = await store.nextTerm();
      const newer = await other.nextTerm();
      expect(await store.tasks.place([assigned(task, 'w1', old)], old)).toEqual(new Set());
      expect(await store.tasks.get(task.id)).toStrictEqual(task);
      expect(await store.tasks.place([assigned(task, 'w1', newer)], newer)).toEqual(new Set([task.id]));
      expect(await store.tasks.place([], newer)).toEqual(new Set());
    });

    it('takes a large batch', async () => {
      const tasks = Array.from({ length: 150 }, () => makeTask());
      await store.tasks.insert(tasks);
      const term = await store.nextTerm();
      const written = await store.tasks.place(
        tasks.map((task) => assigned(task, 'w1', term)),
        term,
      );
      expect(written.size).toBe(tasks.length);
    });
  });
}
