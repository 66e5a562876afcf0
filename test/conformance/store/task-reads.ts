// What lists, counts and the scheduler's views of tasks promise.

import { beforeEach, describe, expect, it } from 'vitest';
import { TASK_STATES, type Task } from '../../../shared/model/task.ts';
import type { TaskSummary } from '../../../shared/model/task-summary.ts';
import type { Store } from '../../../shared/ports/store.ts';
import type { TaskFilter } from '../../../shared/ports/task-store.ts';
import { makeTask } from '../../support/tasks.ts';
import { assigned, inState, ODD_SPEC, ODD_TEXT, started } from './records.ts';

function summary(task: Task): TaskSummary {
  const { spec } = task;
  const { cpuMillis, memoryMb, gpus } = spec.resources;
  return {
    id: task.id,
    ownerName: task.ownerName,
    state: task.state,
    revision: task.revision,
    attempt: task.attempt,
    workerId: task.workerId,
    reason: task.reason,
    exitCode: task.exitCode,
    submittedAt: task.submittedAt,
    startedAt: task.startedAt,
    finishedAt: task.finishedAt,
    name: spec.name,
    tag: spec.tag,
    image: spec.image,
    priority: spec.priority,
    resources: { cpuMillis, memoryMb, gpus },
    cancelRequested: task.cancel !== null,
  };
}

export function taskReads(stores: () => [Store, Store]): void {
  let store: Store;
  let other: Store;
  beforeEach(() => {
    [store, other] = stores();
  });

  const ids = (tasks: readonly { readonly id: string }[]) => tasks.map(({ id }) => id);
  const newestFirst = (tasks: readonly Task[]) => ids(tasks).sort().reverse();
  const listIds = async (filter: TaskFilter, limit = 100) =>
    ids((await store.tasks.list(filter, { limit })).tasks);

  describe('list', () => {
    it('goes through all pages, newest first, undisturbed by what arrives meanwhile', async () => {
      const tasks = Array.from({ length: 23 }, () => makeTask());
      await store.tasks.insert(tasks);
      const seen: string[] = [];
      let before: string | undefined;
      for (;;) {
        const page = await store.tasks.list({}, { limit: 5, before });
        seen.push(...ids(page.tasks));
        if (page.next === null) break;
        before = page.next;
        await other.tasks.insert([makeTask()]);
      }
      expect(seen).toEqual(newestFirst(tasks));
    });

    it('has no next page when the last one is full, and none when there is nothing', async () => {
      await store.tasks.insert([makeTask(), makeTask()]);
      expect((await store.tasks.list({}, { limit: 2 })).next).toBeNull();
      expect((await store.tasks.list({}, { limit: 1 })).next).not.toBeNull();
      expect(await store.tasks.list({ ownerId: 'nobody' }, { limit: 2 })).toEqual({ tasks: [], next: null });
    });

    it('answers every combination of filters as a plain search would', async () => {
      const tasks = TASK_STATES.flatMap((state) =>
        ['user-1', 'user-2'].flatMap((ownerId) =>
          ['', 'blue', 'green'].map((tag) =>
            inState(
              state,
              { ownerId, ...(tag === 'green' && state !== 'queued' ? { workerId: 'w2' } : {}) },
              { tag },
            ),
          ),
        ),
      );
      await store.tasks.insert(tasks);
      const choices = {
        ownerId: [undefined, 'user-1'],
        states: [undefined, ['running'], ['queued', 'assigned', 'failed'], []],
        tag: [undefined, '', 'blue'],
        workerId: [undefined, 'w2'],
        text: [undefined, 'BLU'],
      } as const;
      for (const ownerId of choices.ownerId)
        for (const states of choices.states)
          for (const tag of choices.tag)
            for (const workerId of choices.workerId)
              for (const text of choices.text) {
                const filter = { ownerId, states, tag, workerId, text };
                const expected = tasks.filter(
                  (task) =>
                    (ownerId === undefined || task.ownerId === ownerId) &&
                    (states === undefined || (states as readonly string[]).includes(task.state)) &&
                    (tag === undefined || task.spec.tag === tag) &&
                    (workerId === undefined || task.workerId === workerId) &&
                    (text === undefined || task.spec.tag === 'blue'),
                );
                expect(await listIds(filter), JSON.stringify(filter)).toEqual(newestFirst(expected));
                const short = await store.tasks.summaries(filter, { limit: 100 });
                expect(short.tasks, JSON.stringify(filter)).toStrictEqual(expected.map(summary).reverse());
              }
    });

    it('pages through several states as through one list', async () => {
      const tasks = Array.from({ length: 20 }, (_, n) => inState(n % 3 ? 'failed' : 'completed'));
      await store.tasks.insert(tasks);
      const states = ['completed', 'failed'] as const;
      const first = await store.tasks.list({ states }, { limit: 12 });
      const second = await store.tasks.list({ states }, { limit: 12, before: first.next ?? undefined });
      expect([...ids(first.tasks), ...ids(second.tasks)]).toEqual(newestFirst(tasks));
      expect(second.next).toBeNull();
    });

    it('in short says the same, page by page', async () => {
      const odd = inState('failed', { reason: 'exit_code', exitCode: 3, attempt: 2, revision: 9 }, ODD_SPEC);
      const asked = started(assigned(makeTask({ tag: 'blue' })));
      const cancel = { requestedAt: 1, requestedBy: 'alice', force: false };
      const tasks = [odd, { ...asked, cancel }, makeTask({ name: 'Ä' }), inState('completed')];
      await store.tasks.insert(tasks);
      const seen: TaskSummary[] = [];
      let before: string | undefined;
      for (const limit of [1, 2, 3]) {
        const page = await other.tasks.summaries({}, { limit, before });
        expect(page.next === null).toBe(limit === 3);
        seen.push(...page.tasks);
        before = page.next ?? undefined;
      }
      const sorted = tasks.toSorted((a, b) => (a.id < b.id ? 1 : -1));
      expect(seen).toStrictEqual(sorted.map(summary));
      const found = await store.tasks.summaries({ text: 'BLUE' }, { limit: 5 });
      expect(found).toStrictEqual({ tasks: [summary(tasks[1]!)], next: null });
    });

    it('follows a task from state to state', async () => {
      const task = makeTask();
      await store.tasks.insert([task]);
      const next = assigned(task);
      await other.tasks.commit(next);
      expect(await listIds({ states: ['queued'] })).toEqual([]);
      expect(await listIds({ states: ['assigned'], workerId: 'w1' })).toEqual([task.id]);
    });
  });

  describe('search', () => {
    it('finds part of id, name, image or tag without regard to case', async () => {
      const name = makeTask({ name: 'Training Run Ä' });
      const image = makeTask({ image: 'registry.example/Team/app:1' });
      const tag = makeTask({ tag: 'NIGHTLY' });
      await store.tasks.insert([name, image, tag]);
      expect(await listIds({ text: 'training run ä' })).toEqual([name.id]);
      expect(await listIds({ text: 'EXAMPLE/team' })).toEqual([image.id]);
      expect(await listIds({ text: 'ightl' })).toEqual([tag.id]);
      expect(await listIds({ text: tag.id.slice(-12).toUpperCase() })).toEqual([tag.id]);
      expect(await listIds({ text: '' })).toHaveLength(3);
      expect(await listIds({ text: 'echo hello' })).toEqual([]);
    });

    it.each([
      '%',
      '_',
      '\\',
      '.',
      '*',
      '^',
      '$',
      '(',
      ')',
      '[',
      ']',
      '{',
      '}',
      '+',
      '?',
      '|',
      '"',
      "'",
      '/',
      '-',
    ])('takes %s as itself', async (sign) => {
      const hit = makeTask({ name: `a${sign}b`, image: 'i', tag: 't' });
      const miss = makeTask({ name: 'axb', image: 'i', tag: 't' });
      await store.tasks.insert([hit, miss]);
      expect(await listIds({ text: `a${sign}b` })).toEqual([hit.id]);
    });

    it('pages, and combines with the other filters', async () => {
      const tasks = Array.from({ length: 30 }, (_, n) =>
        makeTask({ name: n % 2 ? 'needle' : 'hay' }, { ownerId: n % 3 ? 'user-1' : 'user-2' }),
      );
      await store.tasks.insert(tasks);
      const expected = newestFirst(
        tasks.filter(({ spec, ownerId }) => spec.name === 'needle' && ownerId === 'user-1'),
      );
      const filter = { text: 'NEED', ownerId: 'user-1' };
      const first = await store.tasks.list(filter, { limit: 4 });
      const rest = await store.tasks.list(filter, { limit: 100, before: first.next ?? undefined });
      expect([...ids(first.tasks), ...ids(rest.tasks)]).toEqual(expected);
    });
  });

  describe('counts', () => {
    it('are right by owner and state after inserts and moves', async () => {
      const mine = Array.from({ length: 4 }, () => makeTask({}, { ownerId: 'user-1' }));
      await store.tasks.insert([...mine, inState('failed', { ownerId: 'user-2' })]);
      await other.tasks.commit(assigned(mine[0]!));
      await store.tasks.commit(started(assigned(mine[0]!)));
      const zero = Object.fromEntries(TASK_STATES.map((state) => [state, 0]));
      expect(await store.tasks.countByState()).toEqual({ ...zero, queued: 3, running: 1, failed: 1 });
      expect(await store.tasks.countByState('user-1')).toEqual({ ...zero, queued: 3, running: 1 });
      expect(await store.tasks.countByState('nobody')).toEqual(zero);
    });

    it('tell how many waiting tasks go before one', async () => {
      const at = (priority: number) => makeTask({ priority });
      const [a, b, c, d, e] = [at(5), at(9), at(5), at(0), at(5)];
      await store.tasks.insert([a!, b!, c!, d!, e!, inState('running', {}, { priority: 9 })]);
      const ahead = (task: Task) => store.tasks.countAhead({ priority: task.spec.priority, id: task.id });
      expect(await Promise.all([a!, b!, c!, d!, e!].map(ahead))).toEqual([1, 0, 2, 4, 3]);
      const place = ({ id, spec: { priority } }: Task) => ({ priority, id });
      const between = (behind: Task, of: Task) => store.tasks.countAhead(place(of), place(behind));
      expect(await between(b!, a!)).toBe(0);
      expect(await between(b!, e!)).toBe(2);
      expect(await between(b!, d!)).toBe(3);
      expect(await between(a!, e!)).toBe(1);
      expect(await between(c!, d!)).toBe(1);
    });
  });

  describe('the line of waiting tasks', () => {
    it('has the highest priority first, then the oldest, page by page, of all or of one owner', async () => {
      const priorities = [5, 9, 0, 5, 9, 5, 0, 7];
      const tasks = priorities.map((priority, n) => makeTask({ priority }, { ownerId: `user-${n % 2}` }));
      await store.tasks.insert([...tasks, inState('running', {}, { priority: 9 }), inState('cancelled')]);
      const line = [...tasks].sort((a, b) => b.spec.priority - a.spec.priority || (a.id < b.id ? -1 : 1));
      for (const ownerId of [undefined, 'user-1', 'user-0', 'nobody']) {
        const expected = ids(line.filter((task) => ownerId === undefined || task.ownerId === ownerId));
        for (const limit of [1, 3, 100]) {
          const seen: { id: string; priority: number }[] = [];
          for (;;) {
            const page = await other.tasks.inLine({ ownerId, after: seen.at(-1), limit });
            expect(page.length).toBeLessThanOrEqual(limit);
            seen.push(...page);
            if (page.length === 0) break;
          }
          expect(ids(seen), `${ownerId} in pages of ${limit}`).toEqual(expected);
        }
      }
    });

    it('says of each what people want to know', async () => {
      const task = makeTask(ODD_SPEC, {
        attempt: 2,
        message: ODD_TEXT,
        notBefore: 99,
        queuedAt: 5,
        submittedAt: 4,
      });
      await store.tasks.insert([task]);
      const { spec, ownerId, ownerName } = task;
      expect(await other.tasks.inLine({ limit: 2 })).toStrictEqual([
        {
          id: task.id,
          ownerId,
          ownerName,
          name: spec.name,
          image: spec.image,
          tag: spec.tag,
          priority: 9,
          attempt: 2,
          resources: spec.resources,
          worker: 'worker-7',
          labels: { constraints: ODD_SPEC.constraints, prefer: ODD_SPEC.prefer },
          kValue: 0.1 + 0.2,
          message: ODD_TEXT,
          queueTimeoutSeconds: 2 ** 40,
          notBefore: 99,
          submittedAt: 4,
          queuedAt: 5,
        },
      ]);
    });
  });
}
