// What a waiting task needs against what each worker has free, row by row, the most hopeful first. Pure.

import type {
  AmountsBody,
  ExplainReply,
  ShortfallBody,
  WorkerBody,
  WorkerVerdictBody,
} from '../../../shared/contracts/workers.ts';

export type Dimension = ShortfallBody['dimension'];

export interface NeedCell {
  readonly dimension: Dimension;
  readonly need: number;
  /** Null when nobody said; then it is enough. */
  readonly free: number | null;
  readonly isEnough: boolean;
}

/** `fits`: now · `busy`: when others end · `closed`: large enough, but kept out by a rule · `small`: never */
export type Hope = 'fits' | 'busy' | 'closed' | 'small';

export interface WaitRow {
  readonly workerId: string;
  readonly hope: Hope;
  readonly excludedBy: WorkerVerdictBody['excluded_by'];
  /** Why it is unhealthy. */
  readonly trouble: string | null;
  /** What it lacks of the labels that must be there, e.g. `disk=hdd instead of ssd or nvme`. */
  readonly unmet: readonly string[];
  /** What it does not let be mounted, e.g. `lets /data be mounted only read-only`. */
  readonly unmountable: readonly string[];
  readonly cells: readonly NeedCell[];
}

const DIMENSIONS: readonly Dimension[] = ['cpu', 'memory', 'gpu', 'storage'];
const RANK: Readonly<Record<Hope, number>> = { fits: 0, busy: 1, closed: 2, small: 3 };

/** @param workers what they have free, where the verdicts do not say it */
export function waitRows(
  { workers: verdicts }: Pick<ExplainReply, 'workers'>,
  need: AmountsBody,
  workers: readonly Pick<WorkerBody, 'worker_id' | 'free'>[],
): WaitRow[] {
  const free = new Map(workers.map((worker) => [worker.worker_id, worker.free]));
  const asked = DIMENSIONS.filter((dimension) => need[dimension] > 0);
  return verdicts
    .map((verdict) => ({
      workerId: verdict.worker_id,
      hope: hopeOf(verdict),
      excludedBy: verdict.excluded_by,
      trouble: verdict.message ?? null,
      unmet: verdict.unmet_labels.map(unmetWords),
      // An API of an earlier release knows of no mounts.
      unmountable: (verdict.unmet_mounts ?? []).map(unmountableWords),
      cells: asked.map((dimension) => cell(dimension, need[dimension], verdict, free.get(verdict.worker_id))),
    }))
    .sort(
      (one, other) =>
        RANK[one.hope] - RANK[other.hope] ||
        lacks(one) - lacks(other) ||
        compare(one.workerId, other.workerId),
    );
}

function unmetWords({ name, needs, has }: WorkerVerdictBody['unmet_labels'][number]): string {
  const wanted = needs.map((value) => (value === '' ? 'no value' : value)).join(' or ');
  return has === null ? `no ${name} (${wanted})` : `${name}=${has} instead of ${wanted}`;
}

function unmountableWords({ source, only_read_only }: WorkerVerdictBody['unmet_mounts'][number]): string {
  return only_read_only ? `lets ${source} be mounted only read-only` : `does not let ${source} be mounted`;
}

function hopeOf({ fits_now, fits_when_empty, excluded_by }: WorkerVerdictBody): Hope {
  if (fits_now) return 'fits';
  if (!fits_when_empty) return 'small';
  return excluded_by === null ? 'busy' : 'closed';
}

function cell(
  dimension: Dimension,
  need: number,
  { missing }: WorkerVerdictBody,
  free: AmountsBody | undefined,
): NeedCell {
  const lack = missing.find((each) => each.dimension === dimension);
  if (lack) return { dimension, need: lack.required, free: Math.max(0, lack.available), isEnough: false };
  // Another moment than the verdict's: what it found enough is not called too little here.
  return { dimension, need, free: free ? Math.max(need, free[dimension]) : null, isEnough: true };
}

function lacks({ cells }: WaitRow): number {
  return cells.filter(({ isEnough }) => !isEnough).length;
}

const { compare } = new Intl.Collator('en', { numeric: true });

/** Changes when a worker comes, goes, or has more or less free: then the answer may be another. */
export function roomOf(workers: readonly Pick<WorkerBody, 'worker_id' | 'state' | 'free'>[]): string {
  return workers
    .map(
      ({ worker_id, state, free }) =>
        `${worker_id} ${state} ${free.cpu} ${free.memory} ${free.gpu} ${free.storage}`,
    )
    .join('\n');
}
