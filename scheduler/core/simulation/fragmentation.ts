// How much of what is free is of no use, because it lies in pieces that are too small or of the wrong kind. Pure.
//
// For a dimension d and the tasks M of the workload that need some of it:
//   F_d = mean over m in M of ( Σ over workers that m does not fit of free_d ) / ( Σ over all workers of free_d )
// 0: any task could use any free piece. 1: no task could use any. After the statistical measure of Q. Weng et al., "Beware
// of Fragmentation: Scheduling GPU-Sharing Workloads with Fragmentation Gradient Descent", USENIX ATC 2023, section 3,
// kept apart by dimension.

import { meetsTerms } from '../../../shared/model/labels.ts';
import { DIMENSIONS, type Dimension, fits } from '../../../shared/model/resources.ts';
import type { WorkerView } from '../snapshot.ts';
import type { TraceTask } from './trace.ts';

/** Tasks that stand for the workload, and workers that stand for the cluster: a measure of a mean needs no more. */
const TASKS_LOOKED_AT = 32;
const WORKERS_LOOKED_AT = 500;

export type Parts = Readonly<Record<Dimension, number | null>>;

/** Evenly spread over all of them. */
function spreadOver<T>(all: readonly T[], most: number): T[] {
  if (all.length <= most) return [...all];
  return Array.from({ length: most }, (_, at) => all[Math.floor((at * all.length) / most)] as T);
}

export function sampleOf(tasks: readonly TraceTask[]): TraceTask[] {
  return spreadOver(tasks, TASKS_LOOKED_AT);
}

/** Null for a dimension of which nothing is free, or nobody needs any. */
export function fragmentation(sample: readonly TraceTask[], workers: readonly WorkerView[]): Parts {
  const looked = spreadOver(workers, WORKERS_LOOKED_AT);
  const free = { cpuMillis: 0, memoryMb: 0, gpus: 0, storageMb: 0 };
  for (const worker of looked) for (const one of DIMENSIONS) free[one] += worker.free[one];
  const useless = { cpuMillis: 0, memoryMb: 0, gpus: 0, storageMb: 0 };
  const asking = { cpuMillis: 0, memoryMb: 0, gpus: 0, storageMb: 0 };
  for (const { need, labels, worker: target } of sample) {
    const asked = DIMENSIONS.filter((one) => need[one] > 0);
    for (const one of asked) asking[one] += 1;
    for (const worker of looked) {
      const isOfUse =
        fits(need, worker.free) &&
        (target === null || target === worker.id) &&
        meetsTerms(labels.constraints, worker.labels);
      if (!isOfUse) for (const one of asked) useless[one] += worker.free[one];
    }
  }
  const part = (one: Dimension) =>
    asking[one] === 0 || free[one] === 0 ? null : useless[one] / (asking[one] * free[one]);
  return {
    cpuMillis: part('cpuMillis'),
    memoryMb: part('memoryMb'),
    gpus: part('gpus'),
    storageMb: part('storageMb'),
  };
}
