import { describe, expect, it } from 'vitest';
import { CLUSTER_SERIES, HISTORY_METRICS, WORKER_METRICS } from '../../shared/model/history.ts';
import { NO_USAGE } from '../../shared/model/worker.ts';
import { makeRegistration } from '../../test/support/tasks.ts';
import { type ClusterLook, historySample, MOST_WORKER_SERIES, type WorkerLook } from './history-sample.ts';

const { fingerprint } = makeRegistration();
const gpus = [{ id: 'GPU-a', utilizationPercent: 30, memoryUsedMb: 1, memoryTotalMb: 2 }];

function look(
  id: string,
  over: Partial<WorkerLook> & { cpuCores?: number; isDown?: boolean } = {},
): WorkerLook {
  const { cpuCores = 4, isDown = false, ...rest } = over;
  return {
    worker: { id, liveness: isDown ? 'down' : 'up', fingerprint: { ...fingerprint, cpuCores } },
    held: { cpuMillis: 1_500, memoryMb: 100, gpus: 1, storageMb: 0 },
    running: 1,
    usage: { ...NO_USAGE, cpuPercent: 50, memoryUsedMb: 10, networkReceiveRate: 7 },
    ...rest,
  };
}
const cluster = (workers: readonly WorkerLook[], over: Partial<ClusterLook> = {}): ClusterLook => ({
  at: 20_000,
  workers,
  tasksByState: { queued: 5, assigned: 1, running: 2, completed: 9, failed: 0, cancelled: 0 },
  placementsPerSecond: 12.34567,
  finishedPerSecond: 0,
  ...over,
});

describe('a sample of the cluster', () => {
  it('has a point for each worker and one for the whole, all at the start of the step', () => {
    const points = historySample(
      cluster([
        look('a', { cpuCores: 30, usage: { ...NO_USAGE, cpuPercent: 80, gpus } }),
        look('b', { cpuCores: 10, usage: null }),
        look('c', { cpuCores: 10 }),
        look('d', { isDown: true }),
      ]),
    );
    expect(points.map(({ series, at, grain }) => [series, at, grain])).toEqual([
      ['a', 20_000, 'fine'],
      ['b', 20_000, 'fine'],
      ['c', 20_000, 'fine'],
      ['d', 20_000, 'fine'],
      [CLUSTER_SERIES, 20_000, 'fine'],
    ]);
    expect(points[0]?.values).toEqual({
      cpu_percent: 80,
      memory_used: 0,
      storage_used: 0,
      gpu_percent: 30,
      network_receive_rate: 0,
      network_transmit_rate: 0,
      cpu_reserved: 1.5,
      memory_reserved: 100,
      gpu_reserved: 1,
      running: 1,
    });
    expect(Object.keys(points[0]?.values ?? {})).toEqual([...WORKER_METRICS]);
    expect(points.at(-1)?.values).toEqual({
      cpu_percent: 72.5,
      memory_used: 10,
      storage_used: 0,
      gpu_percent: 30,
      network_receive_rate: 7,
      network_transmit_rate: 0,
      cpu_reserved: 4.5,
      memory_reserved: 300,
      gpu_reserved: 3,
      workers_up: 3,
      queue_depth: 5,
      running: 2,
      placements_per_second: 12.346,
      finished_per_second: 0,
    });
    expect(Object.keys(points.at(-1)?.values ?? {})).toEqual([...HISTORY_METRICS]);
  });

  it('leaves out what was not measured', () => {
    const points = historySample(
      cluster([look('b', { usage: null })], { placementsPerSecond: null, finishedPerSecond: null }),
    );
    expect(Object.keys(points[0]?.values ?? {})).toEqual([
      'cpu_reserved',
      'memory_reserved',
      'gpu_reserved',
      'running',
    ]);
    expect(points[1]?.values).not.toHaveProperty('cpu_percent');
    expect(points[1]?.values).not.toHaveProperty('placements_per_second');
    expect(historySample(cluster([]))[0]?.values).toMatchObject({ workers_up: 0, cpu_reserved: 0 });
  });

  it('keeps series of a bounded number of workers and sums of all', () => {
    const all = Array.from({ length: MOST_WORKER_SERIES + 5 }, (_, n) => look(`w${n}`));
    const points = historySample(cluster(all));
    expect(points).toHaveLength(MOST_WORKER_SERIES + 1);
    expect(points.at(-1)?.values.workers_up).toBe(all.length);
  });
});
