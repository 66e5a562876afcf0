// What a task needs and what a worker has, in whole units so that sums never drift. Pure.

/** Amounts in four dimensions. All are non-negative integers. */
export interface Resources {
  /** Thousandths of a core: 1500 is one and a half cores. */
  readonly cpuMillis: number;
  /** Mebibytes (1 MB here is 1,048,576 bytes, as Docker counts). */
  readonly memoryMb: number;
  /** Whole devices. */
  readonly gpus: number;
  /** Mebibytes of disk set aside for the task. */
  readonly storageMb: number;
}

export const DIMENSIONS = ['cpuMillis', 'memoryMb', 'gpus', 'storageMb'] as const;
export type Dimension = (typeof DIMENSIONS)[number];

export const NO_RESOURCES: Resources = { cpuMillis: 0, memoryMb: 0, gpus: 0, storageMb: 0 };

export function addResources(a: Resources, b: Resources): Resources {
  return {
    cpuMillis: a.cpuMillis + b.cpuMillis,
    memoryMb: a.memoryMb + b.memoryMb,
    gpus: a.gpus + b.gpus,
    storageMb: a.storageMb + b.storageMb,
  };
}

/** `a − b`, which may be negative: an over-committed worker shows as such and is not hidden. */
export function subtractResources(a: Resources, b: Resources): Resources {
  return {
    cpuMillis: a.cpuMillis - b.cpuMillis,
    memoryMb: a.memoryMb - b.memoryMb,
    gpus: a.gpus - b.gpus,
    storageMb: a.storageMb - b.storageMb,
  };
}

export function sumResources(all: Iterable<Resources>): Resources {
  let total = NO_RESOURCES;
  for (const one of all) total = addResources(total, one);
  return total;
}

/** True when `need` fits into `free` in every dimension. */
export function fits(need: Resources, free: Resources): boolean {
  return (
    need.cpuMillis <= free.cpuMillis &&
    need.memoryMb <= free.memoryMb &&
    need.gpus <= free.gpus &&
    need.storageMb <= free.storageMb
  );
}

export interface Shortfall {
  readonly dimension: Dimension;
  readonly required: number;
  readonly available: number;
  /** `required − available`, always above zero. */
  readonly missing: number;
}

/** The dimensions in which `need` does not fit into `free`; empty when it fits. */
export function shortfalls(need: Resources, free: Resources): Shortfall[] {
  return DIMENSIONS.filter((dimension) => need[dimension] > free[dimension]).map((dimension) => ({
    dimension,
    required: need[dimension],
    available: free[dimension],
    missing: need[dimension] - free[dimension],
  }));
}

/** Short text such as `c1000m512g0s0`. Two needs with the same shape are interchangeable for fit. */
export function resourceShape(need: Resources): string {
  return `c${need.cpuMillis}m${need.memoryMb}g${need.gpus}s${need.storageMb}`;
}
