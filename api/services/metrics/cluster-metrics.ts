// What the record and the heartbeats say of the cluster, as metrics. Read from the snapshot that is there for all who ask;
// series of workers are bounded, sums are over all. Never reads the store by itself.

import type { Registry } from 'prom-client';
import type { ClusterSnapshot, WorkerView } from '../../../shared/contracts/cluster.ts';
import { addReadMetric, type Sample } from '../../../shared/metrics/registry.ts';
import { type Resources, sumResources } from '../../../shared/model/resources.ts';

/** In order of id; some 25 series each. */
const MOST_WORKERS_TOLD = 1_000;

const BYTES_PER_MB = 2 ** 20;
const WORKER_STATES = ['ready', 'cordoned', 'draining', 'unhealthy', 'down', 'unreachable'] as const;

interface Amount {
  /** Part of the name: what, and in which unit. */
  readonly what: string;
  readonly unit: string;
  readonly help: string;
  readonly of: (resources: Resources) => number;
}

const AMOUNTS: readonly Amount[] = [
  { what: 'cpu', unit: 'cores', help: 'Cores', of: ({ cpuMillis }) => cpuMillis / 1_000 },
  { what: 'memory', unit: 'bytes', help: 'Memory', of: ({ memoryMb }) => memoryMb * BYTES_PER_MB },
  { what: 'storage', unit: 'bytes', help: 'Disk', of: ({ storageMb }) => storageMb * BYTES_PER_MB },
  { what: 'gpu', unit: 'devices', help: 'GPUs', of: ({ gpus }) => gpus },
];

/** @param read the snapshot of this answer; null when it could not be read */
export function addClusterMetrics(registry: Registry, read: () => ClusterSnapshot | null): void {
  const gauge = (name: string, help: string, of: (snapshot: ClusterSnapshot) => readonly Sample[]) =>
    addReadMetric(registry, {
      name: `cloudai_${name}`,
      help,
      type: 'gauge',
      read: () => {
        const snapshot = read();
        return snapshot === null ? [] : of(snapshot);
      },
    });
  const perWorker = (name: string, help: string, of: (view: WorkerView) => number | null | undefined) =>
    gauge(`worker_${name}`, help, ({ workers }) =>
      workers.slice(0, MOST_WORKERS_TOLD).flatMap((view) => {
        const value = of(view);
        return value == null ? [] : [{ labels: { worker: view.worker.id }, value }];
      }),
    );

  addReadMetric(registry, {
    name: 'cloudai_cluster_readable',
    help: 'Whether the record could be read for this answer; without it what is of the cluster is missing here',
    type: 'gauge',
    read: () => [{ value: read() === null ? 0 : 1 }],
  });
  gauge('tasks', 'Tasks in the record by state', ({ tasksByState }) =>
    Object.entries(tasksByState).map(([state, value]) => ({ labels: { state }, value })),
  );
  gauge('queue_depth', 'Tasks that wait to be placed', ({ tasksByState }) => [
    { value: tasksByState.queued },
  ]);
  gauge('sla_window_tasks', 'Tasks that completed in the past 24 hours by their deadline', ({ sla }) =>
    sla === null
      ? []
      : [
          { labels: { outcome: 'met' }, value: sla.met },
          { labels: { outcome: 'missed' }, value: sla.missed },
        ],
  );
  gauge('workers', 'Workers by state', ({ workers, awaited }) =>
    WORKER_STATES.map((state) => ({
      labels: { state },
      value:
        workers.filter((view) => view.state === state).length +
        (state === 'unreachable' ? awaited.length : 0),
    })),
  );

  gauge('worker_state', '1 for the state the worker is in', ({ workers }) =>
    workers.slice(0, MOST_WORKERS_TOLD).flatMap((view) =>
      WORKER_STATES.map((state) => ({
        labels: { worker: view.worker.id, state },
        value: Number(view.state === state),
      })),
    ),
  );
  gauge('worker_tasks', 'Tasks that are placed on the worker', ({ workers }) =>
    workers.slice(0, MOST_WORKERS_TOLD).flatMap(({ worker: { id: worker }, assigned, running }) => [
      { labels: { worker, state: 'assigned' }, value: assigned },
      { labels: { worker, state: 'running' }, value: running },
    ]),
  );
  perWorker('heartbeat_age_seconds', 'Since the last heartbeat; missing without one', ({ heartbeatAgeMs }) =>
    seconds(heartbeatAgeMs),
  );
  perWorker('clock_offset_seconds', 'How far its clock is ahead of the cluster', ({ clockOffsetMs }) =>
    seconds(clockOffsetMs),
  );

  for (const { what, unit, help, of } of AMOUNTS) {
    perWorker(`${what}_capacity_${unit}`, `${help} that tasks may use`, ({ worker }) => of(worker.capacity));
    perWorker(`${what}_reserved_${unit}`, `${help} held by placed tasks`, ({ reserved }) => of(reserved));
    const sum = (part: (view: WorkerView) => Resources) => (snapshot: ClusterSnapshot) => {
      const up = snapshot.workers.filter(({ state }) => state !== 'down');
      return [{ value: of(sumResources(up.map(part))) }];
    };
    const ofUp = 'of all workers that are up';
    gauge(
      `cluster_${what}_capacity_${unit}`,
      `${help} that tasks may use, ${ofUp}`,
      sum(({ worker }) => worker.capacity),
    );
    gauge(
      `cluster_${what}_reserved_${unit}`,
      `${help} held by placed tasks, ${ofUp}`,
      sum(({ reserved }) => reserved),
    );
  }

  perWorker('cpu_used_cores', 'Cores in use on the machine, measured', ({ usage, worker }) =>
    usage === null ? null : (usage.cpuPercent / 100) * worker.fingerprint.cpuCores,
  );
  perWorker('memory_used_bytes', 'Memory in use on the machine, measured', ({ usage }) =>
    usage === null ? null : usage.memoryUsedMb * BYTES_PER_MB,
  );
  perWorker('storage_used_bytes', 'Disk in use on the machine, measured', ({ usage }) =>
    usage === null ? null : usage.storageUsedMb * BYTES_PER_MB,
  );
  perWorker(
    'network_receive_bytes_per_second',
    'What the machine receives, measured',
    ({ usage }) => usage?.networkReceiveRate,
  );
  perWorker(
    'network_transmit_bytes_per_second',
    'What the machine sends, measured',
    ({ usage }) => usage?.networkTransmitRate,
  );
  const perGpu = (name: string, help: string, of: (gpu: Gpu) => number) =>
    gauge(`worker_gpu_${name}`, help, ({ workers }) =>
      workers
        .slice(0, MOST_WORKERS_TOLD)
        .flatMap(({ worker, usage }) =>
          (usage?.gpus ?? []).map((gpu) => ({ labels: { worker: worker.id, gpu: gpu.id }, value: of(gpu) })),
        ),
    );
  perGpu('used_ratio', 'Use of a device, 0 to 1, measured', (gpu) => gpu.utilizationPercent / 100);
  perGpu(
    'memory_used_bytes',
    'Memory of a device in use, measured',
    (gpu) => gpu.memoryUsedMb * BYTES_PER_MB,
  );
  perGpu('memory_capacity_bytes', 'Memory of a device', (gpu) => gpu.memoryTotalMb * BYTES_PER_MB);
}

type Gpu = NonNullable<WorkerView['usage']>['gpus'][number];

function seconds(ms: number | null | undefined): number | null {
  return ms == null ? null : ms / 1_000;
}
