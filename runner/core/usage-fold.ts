// Measurements of one container, folded into what an attempt used. Pure.

import type { AttemptUsage, ContainerUsage } from '../../shared/model/usage.ts';

/** A rate over less time says more of the clock than of the program. */
const LEAST_RATE_MS = 100;

export interface UsageFold {
  /** Start of the container, milliseconds since the epoch; null when unknown. */
  readonly startedAt: number | null;
  readonly samples: number;
  readonly last: ContainerUsage | null;
  /** Thousandths of a core between the last two samples, after the first one since the start; null when unknown. */
  readonly cpuMillis: number | null;
  /** Counters so far, also over a counter that began anew. */
  readonly cpuMs: number;
  readonly networkReceivedBytes: number;
  readonly networkSentBytes: number;
  /** Time between samples, and processor time in it. */
  readonly sampledMs: number;
  readonly sampledCpuMs: number;
  readonly cpuPeakMillis: number;
  readonly memoryPeakMb: number;
}

export function beginUsage(startedAt: number | null): UsageFold {
  return {
    startedAt,
    samples: 0,
    last: null,
    cpuMillis: null,
    cpuMs: 0,
    networkReceivedBytes: 0,
    networkSentBytes: 0,
    sampledMs: 0,
    sampledCpuMs: 0,
    cpuPeakMillis: 0,
    memoryPeakMb: 0,
  };
}

/** Samples come in order; one from a clock that was set back counts, but gives no rate. */
export function foldUsage(fold: UsageFold, sample: ContainerUsage): UsageFold {
  const { last } = fold;
  const cpuMs = growth(last?.cpuMs, sample.cpuMs);
  const spanMs = last ? sample.at - last.at : null;
  const isSpan = spanMs !== null && spanMs > 0;
  const cpuMillis = rate(cpuMs, spanMs ?? (fold.startedAt === null ? 0 : sample.at - fold.startedAt));
  return {
    startedAt: fold.startedAt,
    samples: fold.samples + 1,
    last: sample,
    cpuMillis,
    cpuMs: fold.cpuMs + cpuMs,
    networkReceivedBytes:
      fold.networkReceivedBytes + growth(last?.networkReceivedBytes, sample.networkReceivedBytes),
    networkSentBytes: fold.networkSentBytes + growth(last?.networkSentBytes, sample.networkSentBytes),
    sampledMs: fold.sampledMs + (isSpan ? spanMs : 0),
    sampledCpuMs: fold.sampledCpuMs + (isSpan ? cpuMs : 0),
    // The time since the start is known less well than the time between samples: good for a mean, not for a peak.
    cpuPeakMillis: last ? Math.max(fold.cpuPeakMillis, cpuMillis ?? 0) : fold.cpuPeakMillis,
    memoryPeakMb: Math.max(fold.memoryPeakMb, sample.memoryMb),
  };
}

/** Null without a sample. */
export function attemptUsage(fold: UsageFold): AttemptUsage | null {
  if (fold.samples === 0) return null;
  // Of an attempt that was seen once: since its start.
  const mean = rate(fold.sampledCpuMs, fold.sampledMs) ?? fold.cpuMillis ?? 0;
  return {
    samples: fold.samples,
    cpuMs: Math.round(fold.cpuMs),
    cpuMeanMillis: Math.round(mean),
    cpuPeakMillis: Math.round(Math.max(fold.cpuPeakMillis, mean)),
    memoryPeakMb: Math.round(fold.memoryPeakMb * 10) / 10,
    networkReceivedBytes: Math.round(fold.networkReceivedBytes),
    networkSentBytes: Math.round(fold.networkSentBytes),
  };
}

/** What a counter has grown by; one that is smaller than before began anew. */
function growth(before: number | undefined, now: number): number {
  return before === undefined || now < before ? now : now - before;
}

function rate(cpuMs: number, spanMs: number): number | null {
  return spanMs >= LEAST_RATE_MS ? (cpuMs / spanMs) * 1_000 : null;
}
