// The machines of a simulation, from `--workers` and `--worker-size`. Pure.

import type { TraceWorker } from '../../scheduler/core/simulation/trace.ts';
import type { Resources } from '../../shared/model/resources.ts';
import { CliError, EXIT } from '../exit.ts';
import type { AddedSizes } from './added-worker.ts';
import { MOST_WORKERS, workerId } from './traces/trace.ts';

const GB = 1_024;
const DEFAULT_WORKERS = 100;
/** Four machines for everything, and one with GPUs. */
const DEFAULT_SIZES: readonly AddedSizes[] = [
  { cpu: 16, memory: 64 * GB, gpu: 0, storage: 500 * GB, count: 4 },
  { cpu: 32, memory: 256 * GB, gpu: 4, storage: 500 * GB, count: 1 },
];
/** For traces that give amounts as parts of the largest machine. */
const DEFAULT_SCALE: Resources = { cpuMillis: 32_000, memoryMb: 128 * GB, gpus: 0, storageMb: 2_000 * GB };

/** What parts of the largest machine are parts of. */
export function scaleOf(sizes: readonly AddedSizes[] | undefined): Resources {
  const [first] = [...(sizes ?? [])].sort((a, b) => b.cpu - a.cpu);
  return first === undefined ? DEFAULT_SCALE : capacityOf(first);
}

/**
 * With `--workers` so many in all, of the sizes in proportion to their counts; without, as many as the counts say.
 * @param scale the only size when a trace's amounts are parts of it and no size is given
 */
export function clusterOf(
  workers: number | undefined,
  given: readonly AddedSizes[] | undefined,
  scale: Resources | null,
): TraceWorker[] {
  const sizes = given ?? (scale === null ? DEFAULT_SIZES : [bodyOf(scale)]);
  for (const { cpu, memory, gpu, storage, count } of sizes) {
    const isGood =
      cpu > 0 &&
      memory > 0 &&
      gpu >= 0 &&
      storage >= 0 &&
      Number.isInteger(gpu) &&
      Number.isInteger(count) &&
      count >= 1;
    if (!isGood) {
      const advice =
        'cpu and mem must be above zero, gpu and count whole numbers, e.g. cpu=32,mem=128,gpu=4,count=10.';
      throw new CliError(EXIT.usage, '--worker-size is not a size of a machine', advice);
    }
  }
  const turn = sizes.reduce((sum, { count }) => sum + count, 0);
  const all = workers ?? (given === undefined ? DEFAULT_WORKERS : turn);
  if (all > MOST_WORKERS) {
    throw new CliError(
      EXIT.usage,
      `there can be at most ${MOST_WORKERS} machines`,
      'Give fewer with --workers.',
    );
  }
  const capacities = sizes.map(capacityOf);
  return Array.from({ length: all }, (_, at) => ({
    id: workerId(at),
    capacity: capacities[sizeAt(sizes, turn, at)] as Resources,
    labels: {},
  }));
}

/** The sizes stand mixed: of 4 and 1 of two sizes every fifth is of the second. */
function sizeAt(sizes: readonly AddedSizes[], turn: number, at: number): number {
  let place = at % turn;
  for (const [index, { count }] of sizes.entries()) {
    if (place < count) return index;
    place -= count;
  }
  return 0;
}

function capacityOf({ cpu, memory, gpu, storage }: AddedSizes): Resources {
  return {
    cpuMillis: Math.round(cpu * 1_000),
    memoryMb: Math.floor(memory),
    gpus: gpu,
    storageMb: Math.floor(storage),
  };
}

function bodyOf({ cpuMillis, memoryMb, gpus, storageMb }: Resources): AddedSizes {
  return { cpu: cpuMillis / 1_000, memory: memoryMb, gpu: gpus, storage: storageMb, count: 1 };
}
