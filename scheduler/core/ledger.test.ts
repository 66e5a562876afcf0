import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Resources } from '../../shared/model/resources.ts';
import type { Worker } from '../../shared/model/worker.ts';
import { makeRegistration } from '../../test/support/tasks.ts';
import { viewWorkers } from './fit.ts';
import { Ledger } from './ledger.ts';
import type { Holding } from './snapshot.ts';

const resources = fc.record<Resources>({
  cpuMillis: fc.nat(5_000),
  memoryMb: fc.nat(5_000),
  gpus: fc.nat(2),
  storageMb: fc.nat(100),
});
const workerId = fc.constantFrom('w1', 'w2', 'w3');
const taskId = fc.constantFrom('t1', 't2', 't3', 't4', 't5');
const worker: fc.Arbitrary<Worker> = fc
  .record({
    id: workerId,
    capacity: resources,
    maintenance: fc.constantFrom('none', 'cordoned', 'draining'),
    liveness: fc.constantFrom('up', 'down'),
  })
  .map(
    ({ id, capacity, ...rest }) =>
      ({ ...makeRegistration({ id, capacity }), ...rest, livenessAt: 0 }) as Worker,
  );
const holding = fc.record({
  taskId,
  workerId,
  attempt: fc.integer({ min: 1, max: 3 }),
  state: fc.constantFrom('assigned', 'running'),
  resources,
  ownerId: fc.constantFrom('user-1', 'user-2'),
  priority: fc.constant(5),
  gpuIds: fc.constant([]),
  isLeaving: fc.constant(false),
  assignedAt: fc.constant(0),
}) as fc.Arbitrary<Holding>;
const step = fc.oneof(
  fc.record({ kind: fc.constant('worker' as const), worker }),
  fc.record({ kind: fc.constant('drop' as const), id: workerId }),
  fc.record({ kind: fc.constant('hold' as const), holding }),
  fc.record({ kind: fc.constant('release' as const), id: taskId, attempt: fc.integer({ min: 1, max: 3 }) }),
);

describe('the ledger', () => {
  it('agrees with sums made anew each time', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const ledger = new Ledger();
        const workers = new Map<string, Worker>();
        const holdings = new Map<string, Holding>();
        for (const one of steps) {
          if (one.kind === 'worker') {
            ledger.setWorker(one.worker);
            workers.set(one.worker.id, one.worker);
          } else if (one.kind === 'drop') {
            ledger.dropWorker(one.id);
            workers.delete(one.id);
          } else if (one.kind === 'hold') {
            ledger.hold(one.holding);
            holdings.set(one.holding.taskId, one.holding);
          } else {
            const known = holdings.get(one.id);
            const goes = known !== undefined && known.attempt <= one.attempt;
            expect(ledger.release(one.id, one.attempt)).toBe(goes);
            if (goes) holdings.delete(one.id);
          }
          expect(ledger.views()).toEqual(viewWorkers([...workers.values()], holdings.values()));
          expect(ledger.size).toBe(holdings.size);
          for (const id of ['w1', 'w2', 'w3']) {
            const there = [...holdings.values()].filter((held) => held.workerId === id);
            expect(ledger.holdingsOf(id)).toEqual(expect.arrayContaining(there));
            expect(ledger.holdingsOf(id)).toHaveLength(there.length);
            expect(ledger.worker(id)).toBe(workers.get(id) ?? null);
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
