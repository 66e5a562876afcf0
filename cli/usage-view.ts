// Measured use in words, and values of telemetry by their unit. Pure.

import { byteRate, byteSize, megabytes, trim } from '../client/words.ts';
import type { AttemptUsageBody, UsageTotalsBody } from '../shared/contracts/usage.ts';

/** Of an attempt: `0.21 cores on average, 0.33 at most; 120 MB at most; 1.2 MB received, 3 KB sent`. */
export function attemptUsageText(usage: AttemptUsageBody): string {
  const {
    cpu_mean,
    cpu_peak,
    memory_peak,
    network_received_bytes: received,
    network_sent_bytes: sent,
  } = usage;
  const parts = [
    `${trim(cpu_mean, 2)} cores on average, ${trim(cpu_peak, 2)} at most`,
    `${megabytes(memory_peak)} of memory at most`,
  ];
  if (received + sent > 0) parts.push(`${byteSize(received)} received, ${byteSize(sent)} sent`);
  return parts.join('; ');
}

/** Of the cluster: `65% of 40 cores, 1.5 of 16 GB of memory, …`; null when nothing was measured. */
export function usageTotalsText(usage: UsageTotalsBody): string | null {
  if (usage.cpu_percent === null) return null;
  const parts = [
    `${trim(usage.cpu_percent, 0)}% of ${trim(usage.cpu_cores, 2)} cores`,
    `${megabytes(usage.memory_used)} of ${megabytes(usage.memory_total)} memory`,
    `network ${byteRate(usage.network_receive_rate)} in, ${byteRate(usage.network_transmit_rate)} out`,
  ];
  if (usage.gpus) {
    const { count, utilization_percent, memory_used, memory_total } = usage.gpus;
    parts.push(
      `${trim(utilization_percent, 0)}% of ${count} ${count === 1 ? 'GPU' : 'GPUs'} with ${megabytes(memory_used)} of ${megabytes(memory_total)} memory`,
    );
  }
  return parts.join(', ');
}

/** A value of a metric, by the unit it comes with. */
export function measuredText(value: number, unit: string): string {
  switch (unit) {
    case 'percent':
      return `${trim(value)}%`;
    case 'MB':
      return megabytes(value);
    case 'bytes/s':
      return byteRate(value);
    default:
      return `${trim(value, 2)} ${unit}`;
  }
}
