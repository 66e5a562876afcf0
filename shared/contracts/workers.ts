// Workers, the cluster as a whole, and why a task waits for a worker, as they are on the wire. Like http.ts a browser
// may import this. On the wire: cpu in cores, memory and storage in MB (1,048,576 bytes), times as ISO 8601 strings.

import type { Resources } from '../model/resources.ts';
import type { PolicyName } from '../model/scheduling.ts';
import type { TaskState } from '../model/task.ts';
import type { Maintenance, WorkerState } from '../model/worker.ts';
import type { TroubleCode } from '../model/worker-health.ts';
import type { MountRuleBody, UnmetMountBody } from './mounts.ts';
import type { ForecastScoreBody, QueueReason, SlaAttainmentBody, StartEstimateBody } from './queue.ts';
import type { UsageBody, UsageTotalsBody } from './usage.ts';

export interface ShortfallBody {
  dimension: 'cpu' | 'memory' | 'gpu' | 'storage';
  /** `cores`, `MB` or `devices`. */
  unit: string;
  required: number;
  available: number;
  missing: number;
}

export interface WorkerVerdictBody {
  worker_id: string;
  state: WorkerState;
  fits_now: boolean;
  /** Whether it would fit if nothing else ran there. */
  fits_when_empty: boolean;
  /** The rule that keeps this worker out, or null. */
  excluded_by: ExclusionBody | null;
  /** Why it is unhealthy; else null. */
  message: string | null;
  missing: ShortfallBody[];
  /** The labels that the task needs and this worker does not have. */
  unmet_labels: UnmetLabelBody[];
  /** What the task mounts and this worker does not let be mounted. */
  unmet_mounts: UnmetMountBody[];
}

/**
 * `labels`: it does not have those that the task needs · `mounts`: it does not let be mounted what the task mounts ·
 * `reserved`: it is being kept free for other tasks
 */
export type ExclusionBody =
  | 'down'
  | 'cordoned'
  | 'draining'
  | 'unhealthy'
  | 'other_worker_requested'
  | 'labels'
  | 'mounts'
  | 'reserved';

export interface UnmetLabelBody {
  name: string;
  /** The values that would do. */
  needs: string[];
  /** Null when it has no such label. */
  has: string | null;
}

/** One dimension in which the tasks of an owner may not hold more than so much at a time. */
export interface QuotaShareBody {
  dimension: ShortfallBody['dimension'];
  unit: string;
  limit: number;
  /** By tasks of the owner that are assigned or running. */
  held: number;
  required: number;
  /** What is left of the quota is short of it; 0: it is enough. */
  missing: number;
}

export interface ExplainReply {
  task_id: string;
  status: TaskState;
  /** One or more sentences for a person. */
  summary: string;
  /** Why it waits, as a code as in `GET /api/queue`; null when it does not wait. */
  reason: QueueReason | null;
  /** Place among the waiting tasks, 1 is next; null when it does not wait. */
  position: number | null;
  /**
   * False when no worker of the cluster could run it even when empty: too small, without its labels; or when it is more
   * than the quota of its owner in all.
   */
  feasible: boolean | null;
  fits_now: boolean | null;
  /** When it should start; null when it does not wait, and where `GET /api/queue` has none either. */
  estimate: StartEstimateBody | null;
  /** What its owner is limited in; empty without a quota. */
  quota: QuotaShareBody[];
  /** When it is given up unless it is placed before; null when it may wait for ever, and when it does not wait. */
  expires_at: string | null;
  /** The worker that is being kept free for it, or null. */
  reserved_worker: string | null;
  workers: WorkerVerdictBody[];
}

export interface AmountsBody {
  cpu: number;
  memory: number;
  gpu: number;
  storage: number;
}

export function amountsBody(resources: Resources): AmountsBody {
  return {
    cpu: resources.cpuMillis / 1000,
    memory: resources.memoryMb,
    gpu: resources.gpus,
    storage: resources.storageMb,
  };
}

/** Something that is wrong with a worker, as its runner tells it. */
export interface TroubleBody {
  code: TroubleCode;
  message: string;
  since: string;
}

export interface WorkerBody {
  worker_id: string;
  state: WorkerState;
  /**
   * Why it is `unreachable` or `unhealthy`, what came of registering it again while it is down, or that draining has left
   * nothing on it; else null.
   */
  message: string | null;
  /** What is wrong with it; empty unless it is `unhealthy`. */
  troubles: TroubleBody[];
  /** What an admin has set, which an `unhealthy` or `down` worker keeps; null while it is `unreachable`. */
  maintenance: Maintenance | null;
  /** While it is draining: when what still runs there is moved elsewhere; null: never. */
  drain_until: string | null;
  address: string;
  labels: Record<string, string>;
  /** Folders that tasks may mount. */
  mounts: MountRuleBody[];
  capacity: AmountsBody;
  /** Held by assigned and running tasks. */
  reserved: AmountsBody;
  free: AmountsBody;
  tasks: { assigned: number; running: number };
  /** Seconds since the last heartbeat; null when there is none within the lease. */
  heartbeat_age_seconds: number | null;
  /** How far its machine's clock is ahead of the cluster's (behind: below zero); null when that is not known. */
  clock_offset_ms: number | null;
  /** Measured use of the whole machine; null without a heartbeat. */
  usage: UsageBody | null;
  /** What its runner found on the machine; null while it is `unreachable`, as nobody has looked yet. */
  fingerprint: {
    os: string;
    arch: string;
    cpu_model: string;
    cpu_cores: number;
    memory: number;
    storage: number;
    gpu_models: string[];
    runtime: string;
    runtime_version: string;
    version: string;
    /**
     * `guarded`: its tasks are kept away from the machine, the cluster's servers and cloud metadata. Null: not said, or tasks
     * are no containers there.
     */
    task_network: 'guarded' | 'open' | null;
    /** Why it is `open`; else null. */
    task_network_why: string | null;
  } | null;
  /** When its runner registered; while it is `unreachable`, when an admin did. */
  registered_at: string;
}

export interface RegisterWorkerBody {
  id: string;
  /** `host:port`, or a host alone; an IPv6 address in brackets. */
  address: string;
}

/** `POST /api/workers/{id}/drain`; the body may be left out. */
export interface DrainBody {
  /** After so long what still runs there is moved elsewhere: 0 at once, absent never. */
  deadline_seconds?: number;
}

export interface WorkerListReply {
  workers: WorkerBody[];
}

/** What the leading scheduler says of itself. */
export interface SchedulerBody {
  /** False when it has not spoken for a while. */
  leading: boolean;
  policy: PolicyName;
  /** Waiting at the head of its line for so long counts as one priority more. */
  ageing_seconds: number;
  /** Who waits there for longer gets a worker kept free. */
  reserve_after_seconds: number;
  /** Whether a task may take the place of running ones of lower priority. */
  preemption: boolean;
  /** Lines of waiting tasks that are alike. */
  waiting_lines: number;
  /** Workers that are kept free for a task that has waited long. */
  reservations: { worker_id: string; since: string; until: string }[];
  at: string;
}

export interface TelemetryReply {
  at: string;
  workers_by_state: Record<WorkerState, number>;
  /** Sums over workers that are up; `usage` over those of them that sent a measurement. */
  totals: { capacity: AmountsBody; reserved: AmountsBody; free: AmountsBody; usage: UsageTotalsBody };
  tasks_by_state: Record<TaskState, number>;
  queue_depth: number;
  /** Of the last ten seconds or so; null when no scheduler has said. */
  placements_per_second: number | null;
  /** Null until this copy of the API has looked. */
  sla: SlaAttainmentBody | null;
  /** How well starts were foretold lately. */
  forecasts: ForecastScoreBody;
  /** Null when none has led lately, or it cannot be asked. */
  scheduler: SchedulerBody | null;
  /** Ended tasks are kept so long, with their output and files; 0: for ever. */
  retention_days: number;
  workers: WorkerBody[];
}
