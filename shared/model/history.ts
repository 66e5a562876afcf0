// Telemetry over time: one point for each moment and series, at two grains. Pure.

export const GRAINS = ['fine', 'coarse'] as const;
export type Grain = (typeof GRAINS)[number];

/** Time between two points, and how long points are kept. */
export const GRAIN_STEP_MS: Readonly<Record<Grain, number>> = { fine: 10_000, coarse: 300_000 };
export const GRAIN_KEPT_MS: Readonly<Record<Grain, number>> = { fine: 3_600_000, coarse: 7 * 86_400_000 };

/** Name of the series of the whole cluster, which no worker id can be. The others are worker ids. */
export const CLUSTER_SERIES = '*';

export const HISTORY_METRICS = [
  'cpu_percent',
  'memory_used',
  'storage_used',
  'gpu_percent',
  'network_receive_rate',
  'network_transmit_rate',
  'cpu_reserved',
  'memory_reserved',
  'gpu_reserved',
  'workers_up',
  'queue_depth',
  'running',
  'placements_per_second',
  'finished_per_second',
] as const;
export type HistoryMetric = (typeof HISTORY_METRICS)[number];

/** What is known of a single worker too. */
export const WORKER_METRICS = [
  'cpu_percent',
  'memory_used',
  'storage_used',
  'gpu_percent',
  'network_receive_rate',
  'network_transmit_rate',
  'cpu_reserved',
  'memory_reserved',
  'gpu_reserved',
  'running',
] as const satisfies HistoryMetric[];

export const METRIC_UNITS: Readonly<Record<HistoryMetric, string>> = {
  cpu_percent: 'percent',
  memory_used: 'MB',
  storage_used: 'MB',
  gpu_percent: 'percent',
  network_receive_rate: 'bytes/s',
  network_transmit_rate: 'bytes/s',
  cpu_reserved: 'cores',
  memory_reserved: 'MB',
  gpu_reserved: 'devices',
  workers_up: 'workers',
  queue_depth: 'tasks',
  running: 'tasks',
  placements_per_second: 'tasks/s',
  finished_per_second: 'tasks/s',
};

export type HistoryValues = HistoryPoint['values'];

export interface HistoryPoint {
  /** `CLUSTER_SERIES` or a worker id. */
  readonly series: string;
  readonly grain: Grain;
  /** Start of the step, a whole multiple of the grain's step; milliseconds since the epoch. */
  readonly at: number;
  /** A metric that was not measured is not there. */
  readonly values: Readonly<Partial<Record<HistoryMetric, number>>>;
}
