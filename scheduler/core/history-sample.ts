// One look at the cluster as points of history: one for each worker, and one for the whole. Pure.

import {
  CLUSTER_SERIES,
  type HistoryMetric,
  type HistoryPoint,
  type HistoryValues,
} from '../../shared/model/history.ts';
import { type Resources, sumResources } from '../../shared/model/resources.ts';
import type { TaskState } from '../../shared/model/task.ts';
import { type MeasuredMachine, sumUsage } from '../../shared/model/usage-totals.ts';
import type { Worker, WorkerUsage } from '../../shared/model/worker.ts';

/** Series of so many workers are kept, in order of id; sums are over all of them. */
export const MOST_WORKER_SERIES = 200;

export interface WorkerLook {
  readonly worker: Pick<Worker, 'id' | 'liveness' | 'fingerprint'>;
  /** By assigned and running tasks. */
  readonly held: Resources;
  readonly running: number;
  /** Null without a heartbeat. */
  readonly usage: WorkerUsage | null;
}

export interface ClusterLook {
  /** Start of the step that is over, milliseconds since the epoch. */
  readonly at: number;
  /** In order of id. */
  readonly workers: readonly WorkerLook[];
  readonly tasksByState: Readonly<Record<TaskState, number>>;
  /** Since the look before; null when there was none. */
  readonly placementsPerSecond: number | null;
  readonly finishedPerSecond: number | null;
}

/** Fine points, those of workers first. */
export function historySample(look: ClusterLook): HistoryPoint[] {
  const point = (series: string, values: HistoryValues): HistoryPoint => ({
    series,
    grain: 'fine',
    at: look.at,
    values,
  });
  return [
    ...look.workers.slice(0, MOST_WORKER_SERIES).map((one) => point(one.worker.id, ofWorker(one))),
    point(CLUSTER_SERIES, ofCluster(look)),
  ];
}

function ofWorker({ worker, held, running, usage }: WorkerLook): HistoryValues {
  return known({ ...used(usage ? [measured(worker, usage)] : []), ...reserved(held), running });
}

function ofCluster(look: ClusterLook): HistoryValues {
  const { workers, tasksByState, placementsPerSecond, finishedPerSecond } = look;
  const up = workers.filter(({ worker }) => worker.liveness === 'up');
  return known({
    ...used(up.flatMap(({ worker, usage }) => (usage ? [measured(worker, usage)] : []))),
    ...reserved(sumResources(up.map(({ held }) => held))),
    workers_up: up.length,
    queue_depth: tasksByState.queued,
    running: tasksByState.running,
    placements_per_second: placementsPerSecond,
    finished_per_second: finishedPerSecond,
  });
}

function measured({ fingerprint }: WorkerLook['worker'], usage: WorkerUsage): MeasuredMachine {
  return { usage, cpuCores: fingerprint.cpuCores, memoryMb: fingerprint.memoryMb };
}

type Values = Partial<Record<HistoryMetric, number | null>>;

function used(machines: readonly MeasuredMachine[]): Values {
  if (machines.length === 0) return {};
  const totals = sumUsage(machines);
  return {
    cpu_percent: totals.cpuPercent,
    memory_used: totals.memoryUsedMb,
    storage_used: totals.storageUsedMb,
    gpu_percent: totals.gpus?.utilizationPercent ?? null,
    network_receive_rate: totals.networkReceiveRate,
    network_transmit_rate: totals.networkTransmitRate,
  };
}

function reserved({ cpuMillis, memoryMb, gpus }: Resources): Values {
  return { cpu_reserved: cpuMillis / 1_000, memory_reserved: memoryMb, gpu_reserved: gpus };
}

/** Without what was not measured; three decimals are enough for any of them. */
function known(values: Values): HistoryValues {
  return Object.fromEntries(
    Object.entries(values).flatMap(([metric, value]) =>
      value == null ? [] : [[metric, Math.round(value * 1_000) / 1_000]],
    ),
  );
}
