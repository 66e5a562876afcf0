// What a simulation is made of: tasks that come at a moment and run for a known time, and the machines there are. Types
// and small makers only. Times are milliseconds of simulated time, from 0 on.

import type { LabelDemand, Labels } from '../../../shared/model/labels.ts';
import type { Resources } from '../../../shared/model/resources.ts';
import type { Worker } from '../../../shared/model/worker.ts';

export interface TraceTask {
  readonly atMs: number;
  readonly user: string;
  readonly need: Resources;
  /** How long it holds what it needs once it has started. */
  readonly runMs: number;
  /** SLA multiplier, see shared/model/sla.ts. */
  readonly kValue: number;
  /** 0 to 9. */
  readonly priority: number;
  readonly image: string;
  readonly tag: string;
  readonly labels: LabelDemand;
  /** Direct assignment, or null. */
  readonly worker: string | null;
}

export interface TraceWorker {
  readonly id: string;
  readonly capacity: Resources;
  readonly labels: Labels;
}

/** As the ledger keeps it: up, and open to all. */
export function workerRecord({ id, capacity, labels }: TraceWorker): Worker {
  return {
    id,
    incarnation: 'simulated',
    address: id,
    capacity,
    gpuIds: Array.from({ length: capacity.gpus }, (_, at) => `gpu-${at}`),
    labels,
    fingerprint: {
      os: '',
      arch: '',
      cpuModel: '',
      cpuCores: capacity.cpuMillis / 1_000,
      memoryMb: capacity.memoryMb,
      storageMb: capacity.storageMb,
      gpuModels: [],
      runtime: 'simulated',
      runtimeVersion: '',
      version: '',
    },
    registeredAt: 0,
    maintenance: 'none',
    drainUntil: null,
    liveness: 'up',
    livenessAt: 0,
  };
}
