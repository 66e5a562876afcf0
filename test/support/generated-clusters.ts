// Clusters as fast-check makes them, for what the scheduler's decisions must hold of any.

import fc from 'fast-check';
import type { WorkerView } from '../../scheduler/core/snapshot.ts';
import type { LabelDemand, Labels, LabelTerms } from '../../shared/model/labels.ts';
import { fits, type Resources, subtractResources } from '../../shared/model/resources.ts';
import { PLAIN_WORKER } from './waiting.ts';

export const amounts = fc.record<Resources>({
  cpuMillis: fc.integer({ min: 1, max: 8 }).map((n) => n * 500),
  memoryMb: fc.integer({ min: 0, max: 4 }).map((n) => n * 256),
  gpus: fc.integer({ min: 0, max: 2 }),
  storageMb: fc.integer({ min: 0, max: 2 }).map((n) => n * 100),
});
const disk = fc.constantFrom('hdd', 'ssd', 'nvme');
const zone = fc.constantFrom('a', 'b');
const mode = fc.constantFrom('ro', 'rw');
/** Folders that are let be mounted stand among the labels, one inside another too. */
const labels: fc.Arbitrary<Labels> = fc.record(
  { disk, zone, 'mount:/a': mode, 'mount:/a/b': mode },
  { requiredKeys: [] },
);
const mounts = fc.record(
  { 'mount:/a/b/c': fc.constantFrom(['ro', 'rw'], ['rw']), 'mount:/a/bc': fc.constant(['rw']) },
  { requiredKeys: [] },
) as fc.Arbitrary<LabelTerms>;
/** Most ask for nothing; some for what only some workers have, some for what none has. */
export const demand: fc.Arbitrary<LabelDemand> = fc.record({
  constraints: fc.oneof(
    { weight: 8, arbitrary: fc.constant({}) },
    { weight: 3, arbitrary: fc.record({ disk: fc.uniqueArray(disk, { minLength: 1, maxLength: 2 }) }) },
    { weight: 2, arbitrary: fc.record({ disk: fc.constant(['ssd']), zone: fc.constant(['a']) }) },
    { weight: 1, arbitrary: fc.constant({ arch: ['arm64'] }) },
    { weight: 3, arbitrary: mounts },
    { weight: 1, arbitrary: mounts.map((terms) => ({ ...terms, disk: ['ssd'] })) },
  ),
  prefer: fc.oneof(fc.constant({}), fc.constant({ zone: ['b'] })),
});
export const owners = ['user-1', 'user-2', 'user-3'];
const quota = fc.record({
  cpuMillis: fc.option(fc.integer({ min: 0, max: 12 }).map((n) => n * 500)),
  memoryMb: fc.option(
    fc.integer({ min: 0, max: 6 }).map((n) => n * 256),
    { freq: 1 },
  ),
  gpus: fc.option(fc.integer({ min: 0, max: 3 })),
});
export const quotas = fc
  .record({ 'user-1': quota, 'user-2': quota }, { requiredKeys: [] })
  .map((all) => new Map(Object.entries(all)));
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
          labels,
        }),
      ),
    ),
  )
  .map((all) =>
    all.map(({ id, state, capacity, used, labels: has }) => {
      const left = subtractResources(capacity, used);
      const free = fits(used, capacity) ? left : capacity;
      return { ...PLAIN_WORKER, id, state, capacity, free, labels: has } as WorkerView;
    }),
  );

const quarters = fc.constantFrom(0, 0, 1, 2, 4);
/** Workers of two sizes of which each dimension is used to a quarter, to a half, whole or not at all. */
export const busyCluster: fc.Arbitrary<WorkerView[]> = fc
  .array(
    fc.record({
      state: fc.constantFrom('ready', 'ready', 'ready', 'ready', 'ready', 'cordoned', 'draining', 'down'),
      size: fc.constantFrom(1, 2),
      gpus: fc.constantFrom(0, 4),
      used: fc.record({ cpu: quarters, memory: quarters, gpus: quarters }),
      labels,
    }),
    { minLength: 1, maxLength: ids.length },
  )
  .map((all) =>
    all.map(({ state, size, gpus, used, labels: has }, n) => {
      const capacity = { cpuMillis: 4000 * size, memoryMb: 1024 * size, gpus, storageMb: 400 };
      const free: Resources = {
        cpuMillis: capacity.cpuMillis - used.cpu * 1000 * size,
        memoryMb: capacity.memoryMb - used.memory * 256 * size,
        gpus: gpus === 0 ? 0 : gpus - used.gpus,
        storageMb: capacity.storageMb,
      };
      return { ...PLAIN_WORKER, id: ids[n], state, capacity, free, labels: has } as WorkerView;
    }),
  );
