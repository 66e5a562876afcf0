// Measured use and what an attempt tells of itself, on the wire: cpu in cores, memory and storage in MB, network in
// bytes, times as ISO 8601 strings.

import type { Resources } from '../model/resources.ts';
import type { Attempt, AttemptState, Task, TaskState } from '../model/task.ts';
import { timeline } from '../model/timeline.ts';
import { usageHint } from '../model/usage-hint.ts';
import type { UsageTotals } from '../model/usage-totals.ts';
import type { WorkerUsage } from '../model/worker.ts';

export interface UsageBody {
  /** 0 to 100 over all cores. */
  cpu_percent: number;
  memory_used: number;
  storage_used: number;
  /** Bytes a second. */
  network_receive_rate: number;
  network_transmit_rate: number;
  /** One for each real device; empty without any. */
  gpus: GpuUsageBody[];
}

export interface GpuUsageBody {
  id: string;
  utilization_percent: number;
  memory_used: number;
  memory_total: number;
}

export function usageBody(usage: WorkerUsage): UsageBody {
  return {
    cpu_percent: usage.cpuPercent,
    memory_used: usage.memoryUsedMb,
    storage_used: usage.storageUsedMb,
    network_receive_rate: usage.networkReceiveRate,
    network_transmit_rate: usage.networkTransmitRate,
    gpus: usage.gpus.map((gpu) => ({
      id: gpu.id,
      utilization_percent: gpu.utilizationPercent,
      memory_used: gpu.memoryUsedMb,
      memory_total: gpu.memoryTotalMb,
    })),
  };
}

/** Sums over machines that are up and have sent a measurement. */
export interface UsageTotalsBody {
  /** 0 to 100, each machine by its number of cores; null when none was measured. */
  cpu_percent: number | null;
  cpu_cores: number;
  memory_used: number;
  memory_total: number;
  storage_used: number;
  network_receive_rate: number;
  network_transmit_rate: number;
  /** Null when there are no real devices. */
  gpus: { count: number; utilization_percent: number; memory_used: number; memory_total: number } | null;
}

export function usageTotalsBody(totals: UsageTotals): UsageTotalsBody {
  const { cpuPercent, gpus } = totals;
  return {
    cpu_percent: cpuPercent === null ? null : round(cpuPercent, 1),
    cpu_cores: totals.cpuCores,
    memory_used: totals.memoryUsedMb,
    memory_total: totals.memoryTotalMb,
    storage_used: totals.storageUsedMb,
    network_receive_rate: totals.networkReceiveRate,
    network_transmit_rate: totals.networkTransmitRate,
    gpus: gpus && {
      count: gpus.count,
      utilization_percent: round(gpus.utilizationPercent, 1),
      memory_used: gpus.memoryUsedMb,
      memory_total: gpus.memoryTotalMb,
    },
  };
}

/** What an attempt was measured to use. */
export interface AttemptUsageBody {
  /** How often it was looked at: what was shorter than the time between two looks may be missed. */
  samples: number;
  /** Processor time in all. */
  cpu_seconds: number;
  /** Cores. */
  cpu_mean: number;
  cpu_peak: number;
  memory_peak: number;
  network_received_bytes: number;
  network_sent_bytes: number;
}

/** What an attempt leaves behind beside its outcome. */
export interface AttemptReportBody {
  /** Null while it runs, and when it was too short to be measured. */
  usage: AttemptUsageBody | null;
  /** The last the program said of itself; null when it said nothing. */
  progress: { percent: number; message: string; at: string } | null;
  /** Files it left in `/output`; null when there were none. */
  outputs: { files: number; bytes: number; note: string | null } | null;
  /** A better request in words, when the measured use was far off what was asked for. */
  hint: string | null;
}

export function attemptReportBody(attempt: Attempt, requested: Resources): AttemptReportBody {
  const { usage, progress, outputs } = attempt;
  return {
    usage: usage && {
      samples: usage.samples,
      cpu_seconds: usage.cpuMs / 1_000,
      cpu_mean: usage.cpuMeanMillis / 1_000,
      cpu_peak: usage.cpuPeakMillis / 1_000,
      memory_peak: usage.memoryPeakMb,
      network_received_bytes: usage.networkReceivedBytes,
      network_sent_bytes: usage.networkSentBytes,
    },
    progress: progress && {
      percent: progress.percent,
      message: progress.message,
      at: new Date(progress.at).toISOString(),
    },
    outputs: outputs && { files: outputs.files, bytes: outputs.bytes, note: outputs.note },
    hint: usageHint(requested, attempt),
  };
}

/** A moment in a task's life; see `shared/model/timeline.ts`. */
export interface TimelineEntryBody {
  state: TaskState | AttemptState;
  at: string;
  attempt: number;
  worker_id: string | null;
  message: string | null;
}

export function timelineBody(task: Task): TimelineEntryBody[] {
  return timeline(task).map(({ state, at, attempt, workerId, message }) => ({
    state,
    at: new Date(at).toISOString(),
    attempt,
    worker_id: workerId,
    message,
  }));
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
