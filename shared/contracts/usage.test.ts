import { describe, expect, it } from 'vitest';
import { makeRegistration, makeTask, taken } from '../../test/support/tasks.ts';
import { assignTask, finishTask, startTask } from '../model/task-life.ts';
import { sumUsage } from '../model/usage-totals.ts';
import { NO_USAGE, type WorkerUsage } from '../model/worker.ts';
import { telemetryReply, type WorkerView } from './cluster.ts';
import { taskBody, taskDetailBody } from './http.ts';

const at = { attempt: 1, workerId: 'w1' };

describe('an attempt on the wire', () => {
  const placed = taken(
    assignTask(
      makeTask({ resources: { cpuMillis: 2_000, memoryMb: 1_024, gpus: 0, storageMb: 0 } }, { queuedAt: 0 }),
      {
        ...at,
        term: 1,
        now: 0,
      },
    ),
  );
  const started = taken(startTask(placed, { ...at, now: 0, containerId: 'c', imageId: null, gpuIds: [] }));
  const done = taken(
    finishTask(started, {
      ...at,
      now: 60_000,
      dice: 0,
      outcome: { kind: 'completed', exitCode: 0, message: null },
      usage: {
        samples: 30,
        cpuMs: 66_000,
        cpuMeanMillis: 1_100,
        cpuPeakMillis: 1_875,
        memoryPeakMb: 1_000.5,
        networkReceivedBytes: 12,
        networkSentBytes: 34,
      },
      progress: { percent: 90, message: 'nearly', at: 59_000 },
      outputs: { files: 2, bytes: 99, note: null },
    }),
  );

  it('has usage in cores, seconds and MB, progress, outputs and a hint', () => {
    expect(taskBody(done).attempts[0]).toMatchObject({
      usage: {
        samples: 30,
        cpu_seconds: 66,
        cpu_mean: 1.1,
        cpu_peak: 1.875,
        memory_peak: 1_000.5,
        network_received_bytes: 12,
        network_sent_bytes: 34,
      },
      progress: { percent: 90, message: 'nearly', at: '1970-01-01T00:00:59.000Z' },
      outputs: { files: 2, bytes: 99, note: null },
      hint: expect.stringContaining('memory_required'),
    });
    expect(taskBody(started).attempts[0]).toMatchObject({
      usage: null,
      progress: null,
      outputs: null,
      hint: null,
    });
  });

  it('comes with a timeline only where one task is asked for', () => {
    expect(taskBody(done)).not.toHaveProperty('timeline');
    expect(taskDetailBody(done).timeline?.at(-1)).toEqual({
      state: 'completed',
      at: '1970-01-01T00:01:00.000Z',
      attempt: 1,
      worker_id: 'w1',
      message: null,
    });
  });
});

const gpu = { id: 'GPU-a', utilizationPercent: 40, memoryUsedMb: 10, memoryTotalMb: 80 };
const busy: WorkerUsage = {
  cpuPercent: 80,
  memoryUsedMb: 100,
  storageUsedMb: 7,
  networkReceiveRate: 5,
  networkTransmitRate: 6,
  gpus: [gpu, { ...gpu, id: 'GPU-b', utilizationPercent: 45 }],
};

describe('totals of measured use', () => {
  it('are nothing without machines', () => {
    expect(sumUsage([])).toMatchObject({ cpuPercent: null, memoryUsedMb: 0, gpus: null });
  });

  it('weigh processors by their cores and leave out workers that are down or silent', () => {
    const view = (id: string, cpuCores: number, usage: WorkerUsage | null, state: WorkerView['state']) => {
      const registration = makeRegistration({ id });
      const fingerprint = { ...registration.fingerprint, cpuCores };
      const worker = {
        ...registration,
        fingerprint,
        maintenance: 'none',
        liveness: 'up',
        drainUntil: null,
        livenessAt: 0,
      } as const;
      const nothing = { cpuMillis: 0, memoryMb: 0, gpus: 0, storageMb: 0 };
      return {
        worker,
        state,
        reserved: nothing,
        free: nothing,
        assigned: 0,
        running: 0,
        heartbeatAgeMs: 1,
        usage,
      };
    };
    const reply = telemetryReply({
      at: 0,
      placementsPerSecond: 3.5,
      sla: { windowMs: 86_400_000, met: 3, missed: 1 },
      scheduler: null,
      retentionMs: 0,
      forecasts: { windowMs: 1_000, scored: 3, withinBand: 2, medianErrorMs: 1_234, medianLateMs: -500 },
      tasksByState: { queued: 0, assigned: 0, running: 0, completed: 0, failed: 0, cancelled: 0 },
      workers: [
        view('a', 30, busy, 'ready'),
        view('b', 10, { ...NO_USAGE, cpuPercent: 20, memoryUsedMb: 50 }, 'draining'),
        view('c', 99, busy, 'down'),
        view('d', 99, null, 'ready'),
      ],
      awaited: [],
    });
    expect(reply.placements_per_second).toBe(3.5);
    expect(reply.forecasts).toEqual({
      window_seconds: 1,
      scored: 3,
      within_band: 2,
      median_error_seconds: 1.234,
      median_late_seconds: -0.5,
    });
    expect(reply.sla).toEqual({ window_seconds: 86_400, met: 3, missed: 1, attainment: 0.75 });
    expect(reply.totals.usage).toEqual({
      cpu_percent: 65,
      cpu_cores: 40,
      memory_used: 150,
      memory_total: 16_384,
      storage_used: 7,
      network_receive_rate: 5,
      network_transmit_rate: 6,
      gpus: { count: 2, utilization_percent: 42.5, memory_used: 20, memory_total: 160 },
    });
    expect(reply.workers[0]?.usage?.gpus[1]).toEqual({
      id: 'GPU-b',
      utilization_percent: 45,
      memory_used: 10,
      memory_total: 80,
    });
  });
});
