// What every plan holds, whatever the cluster, the rules and the backlog are.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countMet, meetsTerms } from '../../shared/model/labels.ts';
import {
  addResources,
  fits,
  NO_RESOURCES,
  type Resources,
  subtractResources,
} from '../../shared/model/resources.ts';
import { AT, openScene, type Scene, scene } from '../../test/support/generated-snapshots.ts';
import { Backlog } from './backlog.ts';
import { allows } from './fair-share.ts';
import { plan } from './plan.ts';
import type { Group, Plan, WaitingTask, WorkerView } from './snapshot.ts';

const seeds = fc.nat(1000);
const byId = (all: Scene['tasks']) => new Map(all.map((task) => [task.id, task]));

function decide(of: Scene, seed = 0): { made: Plan; before: readonly WorkerView[] } {
  const { ledger, snapshot } = openScene(of);
  return { made: plan(snapshot(), AT, seed), before: ledger.views() };
}

describe('every plan', () => {
  it('over-commits no dimension and gives no device twice', () => {
    fc.assert(
      fc.property(scene, seeds, (of, seed) => {
        const { made, before } = decide(of, seed);
        const tasks = byId(of.tasks);
        const room = new Map(before.map(({ id, free }) => [id, free]));
        const gpus = new Map(before.map(({ id, freeGpus }) => [id, new Set(freeGpus)]));
        for (const { taskId, workerId, gpuIds } of made.placements) {
          const { resources } = tasks.get(taskId) as WaitingTask;
          const left = room.get(workerId) as Resources;
          expect(fits(resources, left)).toBe(true);
          room.set(workerId, subtractResources(left, resources));
          expect(gpuIds).toHaveLength(resources.gpus);
          for (const gpu of gpuIds) expect(gpus.get(workerId)?.delete(gpu)).toBe(true);
        }
        expect(new Set(made.placements.map(({ taskId }) => taskId)).size).toBe(made.placements.length);
      }),
      { numRuns: 500 },
    );
  });

  it('obeys state, direct assignment, constraints, back-off and quota', () => {
    fc.assert(
      fc.property(scene, seeds, (of, seed) => {
        const { made, before } = decide(of, seed);
        const tasks = byId(of.tasks);
        const held = new Map<string, Resources>();
        for (const { ownerId, resources } of of.holdings) {
          held.set(ownerId, addResources(held.get(ownerId) ?? NO_RESOURCES, resources));
        }
        for (const { taskId, workerId } of made.placements) {
          const task = tasks.get(taskId) as WaitingTask;
          const worker = before.find(({ id }) => id === workerId) as WorkerView;
          expect(worker.state).toBe('ready');
          expect(task.worker ?? workerId).toBe(workerId);
          expect(meetsTerms(task.labels.constraints, worker.labels)).toBe(true);
          expect(task.notBefore).toBeLessThanOrEqual(AT);
          const has = held.get(task.ownerId) ?? NO_RESOURCES;
          expect(allows(of.quotas.get(task.ownerId) ?? null, has, task.resources)).toBe(true);
          held.set(task.ownerId, addResources(has, task.resources));
        }
      }),
      { numRuns: 500 },
    );
  });

  it('is the same for the same picture, and in whatever order the lines are given', () => {
    fc.assert(
      fc.property(scene, seeds, fc.infiniteStream(fc.nat()), (of, seed, dice) => {
        const { snapshot } = openScene(of);
        const first = plan(snapshot(), AT, seed);
        expect(plan(snapshot(), AT, seed)).toEqual(first);
        const shuffled = [...snapshot().groups]
          .map((group): [number, Group] => [dice.next().value as number, group])
          .sort(([a], [b]) => a - b)
          .map(([, group]) => group);
        const second = plan({ ...snapshot(), groups: shuffled }, AT, seed);
        expect(second.placements).toEqual(first.placements);
        expect(second.preemptions).toEqual(first.preemptions);
        expect(second.memory.recent).toEqual(first.memory.recent);
        expect(new Map([...second.waiting].sort())).toEqual(new Map([...first.waiting].sort()));
      }),
      { numRuns: 300 },
    );
  });

  it('does not depend on the order in which tasks came into the index', () => {
    fc.assert(
      fc.property(scene, fc.infiniteStream(fc.nat()), (of, dice) => {
        const tasks = [...of.tasks]
          .map((task): [number, WaitingTask] => [dice.next().value as number, task])
          .sort(([a], [b]) => a - b)
          .map(([, task]) => task);
        expect(decide({ ...of, tasks }).made.placements).toEqual(decide(of).made.placements);
      }),
      { numRuns: 200 },
    );
  });

  it('leaves nothing behind that may go somewhere', () => {
    fc.assert(
      fc.property(scene, (of) => {
        const { ledger, backlog, snapshot } = openScene(of);
        let { memory, placements } = plan(snapshot(), AT, 0);
        for (let passes = 0; placements.length > 0 && passes < 50; passes += 1) {
          const tasks = byId(of.tasks);
          for (const { taskId, workerId, gpuIds } of placements) {
            const { ownerId, priority, resources } = tasks.get(taskId) as WaitingTask;
            backlog.take(taskId, AT);
            ledger.hold({
              taskId,
              ownerId,
              workerId,
              priority,
              attempt: 1,
              state: 'assigned',
              resources,
              gpuIds,
              assignedAt: AT,
              isLeaving: false,
            });
          }
          ({ memory, placements } = plan(snapshot(memory), AT, 0));
        }
        const kept = new Set(memory.reservations.map(({ workerId }) => workerId));
        for (const group of backlog.groups()) {
          const owner = ledger.owners().get(group.ownerId);
          if (!allows(owner?.quota ?? null, owner?.held ?? NO_RESOURCES, group.need)) continue;
          const home = ledger
            .views()
            .find(
              ({ id, state, free, labels }) =>
                state === 'ready' &&
                !kept.has(id) &&
                (group.worker ?? id) === id &&
                meetsTerms(group.labels.constraints, labels) &&
                fits(group.need, free),
            );
          expect(home).toBeUndefined();
        }
      }),
      { numRuns: 300 },
    );
  });

  it('sends away only who has lower priority, and no more than makes room', () => {
    fc.assert(
      fc.property(scene, (of) => {
        const { made, before } = decide(of);
        const tasks = byId(of.tasks);
        const holdings = new Map(of.holdings.map((one) => [one.taskId, one]));
        const heads = new Map<string, string[]>();
        if (!of.rules.preemption) expect(made.preemptions).toEqual([]);
        for (const { taskId, workerId, forTask } of made.preemptions) {
          const victim = holdings.get(taskId);
          expect(victim?.workerId).toBe(workerId);
          expect(victim?.priority).toBeLessThan(tasks.get(forTask)?.priority as number);
          heads.set(forTask, [...(heads.get(forTask) ?? []), taskId]);
        }
        expect(new Set(made.preemptions.map(({ taskId }) => taskId)).size).toBe(made.preemptions.length);
        for (const [head, victims] of heads) {
          const { resources, labels } = tasks.get(head) as WaitingTask;
          const on = made.preemptions.find(({ forTask }) => forTask === head)?.workerId;
          const worker = before.find(({ id }) => id === on) as WorkerView;
          expect(meetsTerms(labels.constraints, worker.labels)).toBe(true);
          let room = made.placements
            .filter(({ workerId }) => workerId === on)
            .reduce((free, { taskId }) => subtractResources(free, tasks.get(taskId)!.resources), worker.free);
          for (const id of victims) {
            // Without any one of them there is no room.
            const others = victims.filter((one) => one !== id);
            const less = others.reduce((sum, one) => addResources(sum, holdings.get(one)!.resources), room);
            expect(fits(resources, less)).toBe(false);
          }
          room = victims.reduce((sum, one) => addResources(sum, holdings.get(one)!.resources), room);
          expect(fits(resources, room)).toBe(true);
          expect(made.memory.reservations).toContainEqual(
            expect.objectContaining({ taskId: head, workerId: on }),
          );
        }
      }),
      { numRuns: 500 },
    );
  });

  it('meets as many preferences as any worker that was open to it when it stands alone', () => {
    fc.assert(
      fc.property(scene, (of) => {
        for (const task of of.tasks.slice(0, 5)) {
          const alone = { ...of, tasks: [task] };
          const { made, before } = decide(alone);
          const [placed] = made.placements;
          if (!placed || task.worker !== null) continue;
          const met = (worker: WorkerView) => countMet(task.labels.prefer, worker.labels);
          const open = before.filter(
            ({ state, free, labels }) =>
              state === 'ready' && fits(task.resources, free) && meetsTerms(task.labels.constraints, labels),
          );
          const chosen = open.find(({ id }) => id === placed.workerId) as WorkerView;
          expect(met(chosen)).toBe(Math.max(...open.map(met)));
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('the backlog', () => {
  it('has the same lines for the same tasks, and each task once', () => {
    fc.assert(
      fc.property(scene, ({ tasks }) => {
        const backlog = new Backlog();
        for (const task of tasks) backlog.put(task, Number.POSITIVE_INFINITY);
        const seen = [...backlog.groups()].flatMap((group) => {
          const ids: string[] = [];
          const entries = group.inOrder();
          for (let one = entries.next(); !one.done; one = entries.next()) ids.push(one.value.id);
          return ids;
        });
        expect(seen.sort()).toEqual(tasks.map(({ id }) => id).sort());
      }),
    );
  });
});
