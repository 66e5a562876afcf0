import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PLAIN_WAITING } from '../../test/support/waiting.ts';
import { Backlog, groupKey } from './backlog.ts';
import { Heap } from './heap.ts';
import type { WaitingTask } from './snapshot.ts';

const id = fc.integer({ min: 0, max: 30 }).map((n) => `t${String(n).padStart(2, '0')}`);
const task: fc.Arbitrary<WaitingTask> = fc
  .record({
    id,
    revision: fc.integer({ min: 1, max: 3 }),
    priority: fc.integer({ min: 0, max: 1 }),
    resources: fc
      .integer({ min: 1, max: 2 })
      .map((n) => ({ cpuMillis: n * 1000, memoryMb: 0, gpus: 0, storageMb: 0 })),
    worker: fc.option(fc.constant('w1')),
    notBefore: fc.constantFrom(0, 5, 50),
    queuedAt: fc.nat(100),
    expiresAt: fc.option(fc.nat(100)),
  })
  .map((over) => ({ ...PLAIN_WAITING, ...over }));
const step = fc.oneof(
  fc.record({ kind: fc.constant('put' as const), task }),
  fc.record({ kind: fc.constant('remove' as const), id }),
  fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 20 }) }),
  fc.record({ kind: fc.constant('sweep' as const) }),
);

const idsOf = (backlog: Backlog) =>
  new Map([...backlog.groups()].map((group) => [group.key, [...take(group.inOrder())]]));

function* take(entries: Iterator<{ id: string }>) {
  for (let one = entries.next(); !one.done; one = entries.next()) yield one.value.id;
}

describe('the backlog', () => {
  it('agrees with a list that is searched and sorted each time', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const backlog = new Backlog();
        const model = new Map<string, WaitingTask & { confirmed: boolean }>();
        let now = 0;
        for (const one of steps) {
          if (one.kind === 'put') {
            backlog.put(one.task, now);
            const known = model.get(one.task.id);
            const kept = known && known.revision >= one.task.revision ? known : one.task;
            model.set(one.task.id, { ...kept, confirmed: true });
          } else if (one.kind === 'remove') {
            expect(backlog.remove(one.id)).toBe(model.delete(one.id));
          } else if (one.kind === 'pass') {
            now += one.ms;
            backlog.ripen(now);
          } else {
            backlog.beginSweep();
            for (const [key, known] of model) model.set(key, { ...known, confirmed: false });
          }
          backlog.withdraw(now);
          const all = [...model.values()];
          const isOver = ({ expiresAt = null }: WaitingTask) => expiresAt !== null && expiresAt <= now;
          const expected = new Map<string, string[]>();
          for (const due of all.filter((task) => task.notBefore <= now && !isOver(task))) {
            expected.set(groupKey(due), [...(expected.get(groupKey(due)) ?? []), due.id].sort());
          }
          expect(idsOf(backlog)).toEqual(expected);
          expect(backlog.size).toBe(model.size);
          const later = all
            .filter((task) => task.notBefore > now && !isOver(task))
            .map(({ notBefore }) => notBefore);
          expect(backlog.nextRipeAt()).toBe(later.length ? Math.min(...later) : null);
          const ends = all
            .filter(({ expiresAt }) => expiresAt !== null)
            .map(({ expiresAt }) => expiresAt ?? 0);
          expect(backlog.nextExpiryAt()).toBe(ends.length ? Math.min(...ends) : null);
          const over = all.filter(isOver);
          expect(backlog.hasOverdue).toBe(over.length > 0);
          const overdue = backlog.overdue(1000);
          expect(overdue.map((known) => known.id).sort()).toEqual(over.map((known) => known.id).sort());
          for (const { id, groupKey: key } of overdue)
            expect(key).toBe(groupKey(model.get(id) as WaitingTask));
          expect(backlog.overdue(2).map(({ id }) => id)).toEqual(overdue.slice(0, 2).map(({ id }) => id));
          expect(backlog.unconfirmed(1000).sort()).toEqual(
            all
              .filter(({ confirmed }) => !confirmed)
              .map((known) => known.id)
              .sort(),
          );
          expect(backlog.unconfirmed(1).length).toBeLessThanOrEqual(1);
          for (const known of all) expect(backlog.revisionOf(known.id)).toBe(known.revision);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe('a heap', () => {
  it('gives its items in order, taken out or looked at, whatever was removed before', () => {
    const removals = fc.array(fc.nat(39), { maxLength: 12 });
    fc.assert(
      fc.property(fc.array(fc.nat(50), { minLength: 8, maxLength: 40 }), removals, (values, removed) => {
        const heap = new Heap<{ position: number; value: number }>((a, b) => a.value < b.value);
        let items = values.map((value) => ({ position: -1, value }));
        for (const item of items) heap.push(item);
        for (const at of removed) {
          const gone = items[at];
          if (!gone) continue;
          heap.remove(gone);
          items = items.filter((item) => item !== gone);
        }
        const sorted = items.map(({ value }) => value).sort((a, b) => a - b);
        expect([...heap.inOrder()].map(({ value }) => value)).toEqual(sorted);
        expect(heap.size).toBe(sorted.length);
        expect(sorted.map(() => heap.pop()?.value)).toEqual(sorted);
        expect(heap.pop()).toBeUndefined();
      }),
    );
  });

  it('tells when its lines were served, and another goes on from there', () => {
    const line = (priority: number, n: number): WaitingTask => ({
      ...PLAIN_WAITING,
      resources: { cpuMillis: 1_000, memoryMb: 0, gpus: 0, storageMb: 0 },
      priority,
      id: `t${priority}${n}`,
      queuedAt: 0,
    });
    const backlog = new Backlog();
    const tasks = [1, 2, 3].flatMap((priority) => [line(priority, 0), line(priority, 1)]);
    for (const one of tasks) backlog.put(one, 0);
    backlog.take('t10', 50);
    backlog.take('t20', 70);
    const [first, second] = [groupKey(line(1, 0)), groupKey(line(2, 0))];
    expect(backlog.served(9)).toEqual([
      [second, 70],
      [first, 50],
    ]);
    expect(backlog.served(1)).toEqual([[second, 70]]);

    const next = new Backlog();
    next.resume(backlog.served(9));
    for (const one of tasks.filter(({ id }) => backlog.has(id))) next.put(one, 90);
    const servedAt = new Map([...next.groups()].map((group) => [group.priority, group.servedAt]));
    expect(servedAt).toEqual(
      new Map([
        [1, 50],
        [2, 70],
        [3, 0],
      ]),
    );
  });
});
