import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PLAIN_HOLDING } from '../../test/support/waiting.ts';
import { Ledger } from './ledger.ts';
import { missingFromIntake, REDELIVER_AFTER_MS, reconcilePlaced, strayInIntake } from './reconcile.ts';
import type { Holding } from './snapshot.ts';

const holding: fc.Arbitrary<Holding> = fc
  .record({
    taskId: fc.constantFrom('t1', 't2', 't3', 't4', 't5', 't6'),
    workerId: fc.constantFrom('w1', 'w2', 'dead'),
    attempt: fc.integer({ min: 1, max: 3 }),
    state: fc.constantFrom('assigned' as const, 'running' as const),
    resources: fc.constant({ cpuMillis: 1000, memoryMb: 1, gpus: 0, storageMb: 0 }),
    assignedAt: fc.constant(0),
    isLeaving: fc.boolean(),
    gpuIds: fc.constantFrom([], ['gpu-0'], ['gpu-1'], ['gpu-0', 'gpu-1']),
  })
  .map((over) => ({ ...PLAIN_HOLDING, ...over }));
const placed = fc.uniqueArray(holding, { selector: ({ taskId }) => taskId });

describe('placed tasks', () => {
  it('are booked as the store has them, whatever was booked before', () => {
    fc.assert(
      fc.property(placed, placed, fc.nat(2 * REDELIVER_AFTER_MS), (allocations, before, waited) => {
        const ledger = new Ledger();
        for (const one of before) ledger.hold(one);
        const repairs = reconcilePlaced({
          allocations,
          booked: ledger.holdings(),
          isAlive: (id) => id !== 'dead',
          deliveredAt: (taskId) => (taskId === 't1' ? undefined : 0),
          now: waited,
        });
        for (const one of repairs.release) ledger.release(one.taskId, one.attempt);
        for (const one of repairs.book) ledger.hold(one);
        const byId = (a: Holding, b: Holding) => (a.taskId < b.taskId ? -1 : 1);
        expect([...ledger.holdings()].sort(byId)).toEqual([...allocations].sort(byId));
        expect(repairs.lost).toEqual(allocations.filter(({ workerId }) => workerId === 'dead'));
        for (const one of repairs.redeliver) expect(one).toMatchObject({ state: 'assigned' });
        const due = allocations.filter(
          ({ taskId, workerId, state }) =>
            workerId !== 'dead' && state === 'assigned' && (taskId === 't1' || waited >= REDELIVER_AFTER_MS),
        );
        expect(repairs.redeliver).toEqual(due);
      }),
    );
  });
});

describe('the intake queue', () => {
  it('is filled again only when it holds too little', () => {
    expect(missingFromIntake({ queued: ['a', 'b'], intakeSize: 0, backlogSize: 2 })).toEqual(['a', 'b']);
    expect(missingFromIntake({ queued: ['a', 'b'], intakeSize: 2, backlogSize: 2 })).toEqual([]);
  });
  it('has strays where the index knows of nothing', () => {
    expect(strayInIntake(['a', 'b', 'c'], (id) => id === 'b')).toEqual(['a', 'c']);
  });
});
