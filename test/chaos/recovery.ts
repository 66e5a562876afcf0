// How long it takes after a fault until all is well again, as percentiles by kind of fault. Pure.

import type { FaultKind } from './faults.ts';

export interface Recovery {
  readonly kind: FaultKind;
  /** How long the fault itself lasted. */
  readonly lastedMs: number;
  /** From its end until all parts are well and a task sent then has run to its end. */
  readonly recoveredMs: number;
}

export interface RecoveryRow {
  readonly kind: FaultKind;
  readonly faults: number;
  readonly lastedP50Ms: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly longestMs: number;
}

export function recoveryTable(recoveries: readonly Recovery[]): RecoveryRow[] {
  const kinds = [...new Set(recoveries.map(({ kind }) => kind))];
  return kinds.map((kind) => {
    const ofKind = recoveries.filter((one) => one.kind === kind);
    const recovered = sorted(ofKind.map(({ recoveredMs }) => recoveredMs));
    return {
      kind,
      faults: ofKind.length,
      lastedP50Ms: percentile(sorted(ofKind.map(({ lastedMs }) => lastedMs)), 0.5),
      p50Ms: percentile(recovered, 0.5),
      p99Ms: percentile(recovered, 0.99),
      longestMs: recovered.at(-1) ?? 0,
    };
  });
}

function sorted(values: readonly number[]): number[] {
  return [...values].sort((a, b) => a - b);
}

/** The smallest value that is not below the share of all (nearest rank). */
function percentile(ascending: readonly number[], share: number): number {
  return ascending[Math.max(0, Math.ceil(share * ascending.length) - 1)] ?? 0;
}
