// What machines were measured to use, summed up. Pure.

import type { WorkerUsage } from './worker.ts';

/** A machine that has sent a measurement. */
export interface MeasuredMachine {
  readonly usage: WorkerUsage;
  readonly cpuCores: number;
  readonly memoryMb: number;
}

export interface UsageTotals {
  /** Cores and memory of the machines that were measured. */
  readonly cpuCores: number;
  readonly memoryTotalMb: number;
  /** 0 to 100, each machine by its number of cores; null when none was measured. */
  readonly cpuPercent: number | null;
  readonly memoryUsedMb: number;
  readonly storageUsedMb: number;
  /** Bytes a second. */
  readonly networkReceiveRate: number;
  readonly networkTransmitRate: number;
  /** Of all devices; null when there are none. */
  readonly gpus: GpuTotals | null;
}

export interface GpuTotals {
  readonly count: number;
  /** Mean, 0 to 100. */
  readonly utilizationPercent: number;
  readonly memoryUsedMb: number;
  readonly memoryTotalMb: number;
}

export function sumUsage(machines: readonly MeasuredMachine[]): UsageTotals {
  const sum = (of: (machine: MeasuredMachine) => number) =>
    machines.reduce((total, machine) => total + of(machine), 0);
  const cpuCores = sum((machine) => machine.cpuCores);
  return {
    cpuCores,
    memoryTotalMb: sum((machine) => machine.memoryMb),
    cpuPercent: cpuCores === 0 ? null : sum((one) => one.usage.cpuPercent * one.cpuCores) / cpuCores,
    memoryUsedMb: sum(({ usage }) => usage.memoryUsedMb),
    storageUsedMb: sum(({ usage }) => usage.storageUsedMb),
    networkReceiveRate: sum(({ usage }) => usage.networkReceiveRate),
    networkTransmitRate: sum(({ usage }) => usage.networkTransmitRate),
    gpus: sumGpus(machines),
  };
}

function sumGpus(machines: readonly MeasuredMachine[]): GpuTotals | null {
  const gpus = machines.flatMap(({ usage }) => usage.gpus);
  if (gpus.length === 0) return null;
  return {
    count: gpus.length,
    utilizationPercent: gpus.reduce((sum, gpu) => sum + gpu.utilizationPercent, 0) / gpus.length,
    memoryUsedMb: gpus.reduce((sum, gpu) => sum + gpu.memoryUsedMb, 0),
    memoryTotalMb: gpus.reduce((sum, gpu) => sum + gpu.memoryTotalMb, 0),
  };
}
