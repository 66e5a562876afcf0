// What the views of tasks and runs that ended promise.

import { beforeEach, describe, expect, it } from 'vitest';
import type { Task, TaskState } from '../../../shared/model/task.ts';
import { finishTask } from '../../../shared/model/task-life.ts';
import type { Store } from '../../../shared/ports/store.ts';
import { makeTask, taken } from '../../support/tasks.ts';
import { assigned, inState, ODD_SPEC, started } from './records.ts';

export function endedTasks(stores: () => [Store, Store]): void {
  let store: Store;
  let other: Store;
  beforeEach(() => {
    [store, other] = stores();
  });

  const ids = (tasks: readonly { readonly id: string }[]) => tasks.map(({ id }) => id);

  describe('ended tasks', () => {
    const endedAt = (finishedAt: number, state: TaskState = 'completed') => inState(state, { finishedAt });

    it('come in order of their end and id, page by page, from a time on', async () => {
      const [early, b, c, d, late] = [
        endedAt(99),
        endedAt(100),
        endedAt(100, 'failed'),
        endedAt(100, 'cancelled'),
        endedAt(2 ** 41),
      ];
      await store.tasks.insert([late!, c!, early!, d!, b!, inState('running'), makeTask()]);
      const expected = [b!, c!, d!, late!];
      for (const limit of [1, 2, 3, 4, 100]) {
        const seen: Task[] = [];
        for (;;) {
          const last = seen.at(-1);
          const after = last && { finishedAt: last.finishedAt ?? 0, id: last.id };
          const page = await other.tasks.ended({ since: 100, after, limit });
          expect(page.length).toBeLessThanOrEqual(limit);
          if (page.length === 0) break;
          seen.push(...page);
        }
        expect(seen, `pages of ${limit}`).toStrictEqual(expected);
      }
      expect(ids(await store.tasks.ended({ since: 0, limit: 1 }))).toEqual([early!.id]);
      expect(await store.tasks.ended({ since: 2 ** 41 + 1, limit: 10 })).toEqual([]);
      // What came after the end of an earlier page does not bring back what is older than `since`.
      const after = { finishedAt: 1, id: 'task-0' };
      expect(ids(await store.tasks.ended({ since: 100, after, limit: 10 }))).toEqual(ids(expected));
    });

    it('are those that have come to their end by a step', async () => {
      const task = started(assigned(makeTask()));
      await store.tasks.insert([task]);
      expect(await other.tasks.ended({ since: 0, limit: 10 })).toEqual([]);
      const report = { attempt: 1, workerId: 'w1', now: 5_000, dice: 0 };
      const outcome = { kind: 'completed', exitCode: 0, message: null } as const;
      const next = taken(finishTask(task, { ...report, outcome }));
      await store.tasks.commit(next);
      expect(await other.tasks.ended({ since: 5_000, limit: 10 })).toStrictEqual([next]);
    });

    it('of which somebody is to be told name a webhook, or their owner has one', async () => {
      const webhook = { url: 'http://a.example/', events: ['failed'] as const };
      const end = (ownerId: string, finishedAt: number, own = false) =>
        inState('completed', { ownerId, finishedAt }, own ? { webhook } : {});
      const told = [
        end('user-2', 101),
        end('user-1', 102, true),
        end('user-2', 103, true),
        end('user-2', 104),
      ];
      await store.tasks.insert([...told, end('user-1', 100), end('user-3', 102)]);
      const registered = { ...webhook, id: 'webhook-1', ownerId: 'user-2', createdAt: 1 };
      await store.webhooks.insert(registered);
      await store.webhooks.insert({ ...registered, id: 'webhook-2' });
      const pages: Task[] = [];
      for (const limit of [3, 3]) {
        const last = pages.at(-1);
        const after = last && { finishedAt: last.finishedAt ?? 0, id: last.id };
        pages.push(...(await other.tasks.ended({ since: 100, after, limit, withWebhook: true })));
      }
      expect(pages).toStrictEqual(told);
      expect(await other.tasks.ended({ since: 0, limit: 10 })).toHaveLength(6);
      for (const id of ['webhook-1', 'webhook-2']) await store.webhooks.remove('user-2', id);
      const own = await other.tasks.ended({ since: 0, limit: 10, withWebhook: true });
      expect(ids(own)).toEqual([told[1]!.id, told[2]!.id]);
    });
  });

  describe('runs that ended', () => {
    it('come like ended tasks, with little of each', async () => {
      const runs = [
        inState('completed', { finishedAt: 100, startedAt: 40, submittedAt: 30 }, { tag: 'a', kValue: 2.5 }),
        inState('failed', { finishedAt: 100, reason: 'oom_killed' }, { image: 'b:1' }),
        inState('cancelled', { finishedAt: 300 }, ODD_SPEC),
      ];
      await store.tasks.insert([...runs].reverse());
      await store.tasks.insert([inState('completed', { finishedAt: 99 }), inState('running')]);
      const expected = runs.map(({ id, state, reason, spec, submittedAt, startedAt, finishedAt }) => ({
        id,
        state,
        reason,
        image: spec.image,
        tag: spec.tag,
        kValue: spec.kValue,
        submittedAt,
        startedAt,
        finishedAt,
      }));
      expect(await other.tasks.endedRuns({ since: 100, limit: 10 })).toStrictEqual(expected);
      for (const [n, { id, finishedAt }] of runs.entries()) {
        const after = { finishedAt: finishedAt ?? 0, id };
        const page = await store.tasks.endedRuns({ since: 100, after, limit: 1 });
        expect(page).toStrictEqual(expected.slice(n + 1, n + 2));
      }
    });

    it('are of kinds that can be asked for', async () => {
      const tasks = [inState('running', {}, { tag: 'a' }), makeTask({ image: 'b:1' })];
      await store.tasks.insert([...tasks, makeTask()]);
      const kinds = await other.tasks.kinds([...ids(tasks), 'task-unknown']);
      const byId = kinds.sort((a, b) => (a.id < b.id ? -1 : 1));
      expect(byId).toStrictEqual(
        tasks
          .map(({ id, spec: { image, tag } }) => ({ id, tag, image }))
          .sort((a, b) => (a.id < b.id ? -1 : 1)),
      );
      expect(await store.tasks.kinds([])).toEqual([]);
    });
  });
}
