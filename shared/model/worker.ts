// A worker is a machine of the cluster; the runner is the daemon on it. Pure.

import type { MountRule } from './mounts.ts';
import type { Resources } from './resources.ts';
import type { Trouble } from './worker-health.ts';

/** What the runner found on its machine when it registered. Written by the runner only. */
export interface WorkerRegistration {
  readonly id: string;
  /** Random name of this life of the daemon: a restarted runner has a new one. */
  readonly incarnation: string;
  /** Host name or address, for people. */
  readonly address: string;
  /** What tasks may use in all. */
  readonly capacity: Resources;
  /** Device ids, as many as `capacity.gpus`. */
  readonly gpuIds: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** Folders that it lets tasks mount; absent: none. */
  readonly mounts?: readonly MountRule[];
  readonly fingerprint: WorkerFingerprint;
  readonly registeredAt: number;
}

export interface WorkerFingerprint {
  readonly os: string;
  readonly arch: string;
  readonly cpuModel: string;
  readonly cpuCores: number;
  readonly memoryMb: number;
  readonly storageMb: number;
  readonly gpuModels: readonly string[];
  /** `docker`, `scripted` or `process`. */
  readonly runtime: string;
  /** Version of the engine, e.g. `20.10.24`. */
  readonly runtimeVersion: string;
  /** Version of CloudAI on the worker. */
  readonly version: string;
  /** Whether its tasks are kept away from the machine, the cluster's servers and cloud metadata; absent: not said. */
  readonly taskNetwork?: 'guarded' | 'open';
  /** Why it is open. */
  readonly taskNetworkWhy?: string;
}

/** Written by an admin. */
export const MAINTENANCE = ['none', 'cordoned', 'draining'] as const;
export type Maintenance = (typeof MAINTENANCE)[number];

/** Written by the leader from the heartbeat lease. */
const LIVENESS = ['up', 'down'] as const;
export type Liveness = (typeof LIVENESS)[number];

export interface Worker extends WorkerRegistration {
  readonly maintenance: Maintenance;
  /** While it is draining: when what still runs there is moved elsewhere; null: never. */
  readonly drainUntil: number | null;
  readonly liveness: Liveness;
  /** When liveness last changed. */
  readonly livenessAt: number;
}

/** A worker with what its heartbeat tells, which stands in no record. */
export interface HeardWorker extends Worker {
  /** Absent and empty: none is known. */
  readonly troubles?: readonly Trouble[];
}

/**
 * What a worker can be that has joined. `unhealthy`: its runner speaks and says that something is wrong there; it is given
 * nothing new and keeps what it has.
 */
export type JoinedWorkerState = 'ready' | 'cordoned' | 'draining' | 'unhealthy' | 'down';
/**
 * `unreachable`: an admin has registered it by hand and its daemon has not answered yet. There is no record of it, so
 * schedulers never meet it.
 */
export type WorkerState = JoinedWorkerState | 'unreachable';

/**
 * What matters most about it. What is not told by itself goes before what an admin knows already, for it is to be seen;
 * the admin's word stands in the record beside it and holds in either case: neither of them lets new tasks come.
 */
export function workerState(
  worker: Pick<HeardWorker, 'liveness' | 'maintenance' | 'troubles'>,
): JoinedWorkerState {
  if (worker.liveness === 'down') return 'down';
  if (worker.troubles && worker.troubles.length > 0) return 'unhealthy';
  return worker.maintenance === 'none' ? 'ready' : worker.maintenance;
}

/** Workers of the record with what was heard of them by heartbeat. */
export function withTroubles(
  workers: readonly Worker[],
  heard: readonly { readonly workerId: string; readonly troubles: readonly Trouble[] }[],
): readonly HeardWorker[] {
  const told = new Map(heard.map(({ workerId, troubles }) => [workerId, troubles]));
  return workers.map((worker) => {
    const troubles = told.get(worker.id) ?? [];
    return troubles.length === 0 ? worker : { ...worker, troubles };
  });
}

/** Measured use of the machine, sent with each heartbeat. */
export interface WorkerUsage {
  /** 0 to 100 over all cores. */
  readonly cpuPercent: number;
  readonly memoryUsedMb: number;
  readonly storageUsedMb: number;
  /** Bytes a second over the interfaces to other machines: not loopback, bridges and containers' links. */
  readonly networkReceiveRate: number;
  readonly networkTransmitRate: number;
  /** One for each real device; empty without any. */
  readonly gpus: readonly GpuUsage[];
}

export interface GpuUsage {
  readonly id: string;
  /** 0 to 100. */
  readonly utilizationPercent: number;
  readonly memoryUsedMb: number;
  readonly memoryTotalMb: number;
}

export const NO_USAGE: WorkerUsage = {
  cpuPercent: 0,
  memoryUsedMb: 0,
  storageUsedMb: 0,
  networkReceiveRate: 0,
  networkTransmitRate: 0,
  gpus: [],
};

/** Worker ids appear in queue names, container labels and URLs. */
export const WORKER_ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
