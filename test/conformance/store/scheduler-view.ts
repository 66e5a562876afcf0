// What the scheduler's views of tasks promise: what waits, and what holds a part of a worker.

import { beforeEach, describe, expect, it } from 'vitest';
import type { Allocation } from '../../../shared/model/held.ts';
import type { Attempt, Task } from '../../../shared/model/task.ts';
import { assignTask, evictTask, finishTask, requestCancel } from '../../../shared/model/task-life.ts';
import type { Store } from '../../../shared/ports/store.ts';
import type { QueuedTask } from '../../../shared/ports/task-store.ts';
import { makeTask, taken } from '../../support/tasks.ts';
import { assigned, inState, ODD_SPEC, started } from './records.ts';

export function queuedView(task: Task): QueuedTask {
  const { spec } = task;
  return {
    id: task.id,
    ownerId: task.ownerId,
    attempt: task.attempt,
    revision: task.revision,
    priority: spec.priority,
    resources: spec.resources,
    worker: spec.worker,
    labels: { constraints: spec.constraints, prefer: spec.prefer },
    image: spec.image,
    tag: spec.tag,
    kValue: spec.kValue,
    queueTimeoutSeconds: spec.queueTimeoutSeconds,
    notBefore: task.notBefore,
    submittedAt: task.submittedAt,
    queuedAt: task.queuedAt,
  };
}

export function allocationOf(task: Task, gpuIds: readonly string[], isLeaving: boolean): Allocation {
  return {
    taskId: task.id,
    ownerId: task.ownerId,
    workerId: task.workerId ?? '',
    priority: task.spec.priority,
    attempt: task.attempt,
    state: task.state as Allocation['state'],
    resources: task.spec.resources,
    gpuIds,
    assignedAt: task.assignedAt ?? 0,
    isLeaving,
  };
}

export function schedulerView(stores: () => [Store, Store]): void {
  let store: Store;
  let other: Store;
  beforeEach(() => {
    [store, other] = stores();
  });

  const ids = (tasks: readonly { readonly id: string }[]) => tasks.map(({ id }) => id);

  describe('of the scheduler, the view of what waits', () => {
    it('has every waiting task, in order of id, page by page', async () => {
      const waiting = [
        makeTask(
          {
            worker: 'w7',
            priority: 8,
            tag: 'nightly',
            image: 'b:1',
            kValue: 2.5,
            queueTimeoutSeconds: 3_600,
          },
          { notBefore: 99, attempt: 2, revision: 4, queuedAt: 5, submittedAt: 4 },
        ),
        makeTask(ODD_SPEC),
        makeTask({ constraints: { disk: ['ssd'] } }),
        makeTask({ prefer: { disk: ['ssd'] } }),
        ...Array.from({ length: 6 }, () => makeTask()),
      ];
      await store.tasks.insert([...waiting, inState('running'), inState('completed')]);
      const first = await store.tasks.queued({ limit: 4 });
      const rest = await other.tasks.queued({ after: first.at(-1)?.id, limit: 100 });
      expect([...first, ...rest]).toStrictEqual(waiting.map(queuedView));
    });

    it('has the waiting tasks of one priority', async () => {
      const [low, high] = [1, 8].map((priority) => Array.from({ length: 3 }, () => makeTask({ priority })));
      await store.tasks.insert([...high!, ...low!, inState('running', {}, { priority: 8 })]);
      const first = await store.tasks.queued({ priority: 8, limit: 2 });
      const rest = await other.tasks.queued({ priority: 8, after: first.at(-1)?.id, limit: 100 });
      expect([first, rest].map(ids)).toEqual([ids(high!.slice(0, 2)), ids(high!.slice(2))]);
      expect(ids(await store.tasks.queued({ priority: 1, limit: 100 }))).toEqual(ids(low!));
    });
  });

  describe('of the scheduler, the view of what is placed', () => {
    const withGpus = { resources: { cpuMillis: 1, memoryMb: 2, gpus: 2, storageMb: 4 } };
    const placedOn = (task: Task, workerId: string, gpuIds: readonly string[]) =>
      taken(assignTask(task, { workerId, gpuIds, term: 1, now: 1_700_000_000_500 }));

    it('has what every placed task holds, of one worker or of all', async () => {
      const a = assigned(makeTask({ priority: 0 }, { ownerId: 'user-2' }), 'w1');
      const b = placedOn(makeTask(withGpus), 'w2', ['gpu-3', 'GPU "ä"']);
      // A container may see devices that nobody set aside for its task: those are not held.
      const c = started(assigned(makeTask({ priority: 9 }), 'w1'));
      await store.tasks.insert([a, b, c, makeTask(), inState('completed')]);
      const [inA, inB, inC] = [
        allocationOf(a, [], false),
        allocationOf(b, ['gpu-3', 'GPU "ä"'], false),
        allocationOf(c, [], false),
      ];
      expect(await other.tasks.allocations('w2')).toStrictEqual([inB]);
      const all = await other.tasks.allocations();
      expect(all.sort((x, y) => (x.taskId < y.taskId ? -1 : 1))).toStrictEqual([inA, inB, inC]);
      expect(await store.tasks.allocations('w3')).toEqual([]);
    });

    it('follows a task from its placement to its end', async () => {
      const task = makeTask(withGpus);
      await store.tasks.insert([task]);
      const at = async () => other.tasks.allocations();
      const put = async (next: Task) => {
        expect(await store.tasks.commit(next)).toBe(true);
        return next;
      };
      expect(await at()).toEqual([]);
      const given = placedOn(task, 'w1', ['g-0', 'g-1']);
      expect(await store.tasks.place([given], await store.nextTerm())).toEqual(new Set([task.id]));
      expect(await at()).toStrictEqual([allocationOf(given, ['g-0', 'g-1'], false)]);
      const runs = await put(started(given));
      expect(await at()).toStrictEqual([allocationOf(runs, ['gpu-0'], false)]);
      const ref = { attempt: 1, workerId: 'w1' };
      const told = { requestedAt: 9, cause: 'preempted', message: 'make way' } as const;
      const leaving = await put(taken(evictTask(runs, { ...ref, ...told })));
      expect(await store.tasks.get(task.id)).toStrictEqual(leaving);
      expect(await at()).toStrictEqual([allocationOf(leaving, ['gpu-0'], true)]);
      const outcome = { kind: 'evicted', exitCode: null, message: 'made way' } as const;
      const back = await put(taken(finishTask(leaving, { ...ref, now: 10, dice: 0, outcome })));
      expect(await store.tasks.get(task.id)).toStrictEqual(back);
      expect((back.attempts[0] as Attempt).eviction).toEqual(told);
      expect(await at()).toEqual([]);
      // What its first attempt held and was told means nothing to the next.
      const again = await put(placedOn(back, 'w2', ['g-7', 'g-8']));
      expect(await at()).toStrictEqual([allocationOf(again, ['g-7', 'g-8'], false)]);
    });

    it('says which tasks are to be cancelled', async () => {
      const task = assigned(makeTask());
      await store.tasks.insert([task, assigned(makeTask(), 'w2')]);
      const asked = taken(requestCancel(task, { force: false, requestedBy: 'alice', now: 5 }));
      expect(await other.tasks.commit(asked)).toBe(true);
      expect(await store.tasks.allocations('w1')).toStrictEqual([allocationOf(asked, [], true)]);
      expect((await store.tasks.allocations('w2')).map(({ isLeaving }) => isLeaving)).toEqual([false]);
    });
  });
}
