// Clusters as fast-check makes them, for what the scheduler's decisions must hold of any.

import fc from 'fast-check';
import type { WorkerView } from '../../scheduler/core/snapshot.ts';
import { fits, type Resources, subtractResources } from '../../shared/model/resources.ts';
import { PLAIN_WORKER } from './waiting.ts';

export const amounts = fc.record<Resources>({
  cpuMillis: fc.integer({ min: 1, max: 8 }).map((n) => n * 500),
  memoryMb: fc.integer({ min: 0, max: 4 }).map((n) => n * 256),
  gpus: fc.integer({ min: 0, max: 2 }),
  storageMb: fc.integer({ min: 0, max: 2 }).map((n) => n * 100),
});
export const ids = ['w1', 'w2', 'w3', 'w4', 'w5', 'w6'];
/** Workers in order of id, some closed or down, some with something running. */
export const cluster: fc.Arbitrary<WorkerView[]> = fc
  .uniqueArray(fc.constantFrom(...ids), { maxLength: 6 })
  .chain((chosen) =>
    fc.tuple(
      ...[...chosen].sort().map((id) =>
        fc.record({
          id: fc.constant(id),
          state: fc.constantFrom('ready', 'ready', 'ready', 'ready', 'cordoned', 'draining', 'down'),
          capacity: amounts,
          used: amounts,
        }),
      ),
    ),
  )
  .map((all) =>
    all.map(({ id, state, capacity, used }) => {
      const left = subtractResources(capacity, used);
      const free = fits(used, capacity) ? left : capacity;
      return { ...PLAIN_WORKER, id, state, capacity, free } as WorkerView;
    }),
  );
