// What the cluster looks like, as data, and its form on the wire (the types of the replies are in workers.ts).

import type { ForecastScore } from '../model/forecast-score.ts';
import { type Labels, type LabelTerms, labelFor } from '../model/labels.ts';
import { folderOfTerm, isMountTerm, withoutMounts } from '../model/mounts.ts';
import { type Registration, registrationMessage } from '../model/registration.ts';
import type { Dimension, Resources, Shortfall } from '../model/resources.ts';
import { addResources, NO_RESOURCES } from '../model/resources.ts';
import { waitExpiresAt } from '../model/retry.ts';
import type { SchedulerReport } from '../model/scheduling.ts';
import type { SlaAttainment } from '../model/sla.ts';
import type { Task, TaskState } from '../model/task.ts';
import { sumUsage } from '../model/usage-totals.ts';
import type { ResourceQuota } from '../model/user.ts';
import type { HeardWorker, Worker, WorkerState, WorkerUsage } from '../model/worker.ts';
import { describeTroubles, type Trouble } from '../model/worker-health.ts';
import { mountRuleBody, type UnmetMountBody } from './mounts.ts';
import {
  attainmentBody,
  estimateBody,
  forecastScoreBody,
  type QueueReason,
  type StartEstimateView,
} from './queue.ts';
import { usageBody, usageTotalsBody } from './usage.ts';
import {
  amountsBody,
  type ExclusionBody,
  type ExplainReply,
  type QuotaShareBody,
  type SchedulerBody,
  type ShortfallBody,
  type TelemetryReply,
  type TroubleBody,
  type UnmetLabelBody,
  type WorkerBody,
} from './workers.ts';

/** A leader speaks every few seconds; clocks may differ by some. */
const SILENT_MS = 30_000;
const MS_PER_DAY = 86_400_000;

export interface WorkerView {
  readonly worker: HeardWorker;
  readonly state: WorkerState;
  /** Held by assigned and running tasks. */
  readonly reserved: Resources;
  /** Below zero in a dimension that is over-committed. */
  readonly free: Resources;
  readonly assigned: number;
  readonly running: number;
  readonly heartbeatAgeMs: number | null;
  /** How far the machine's own clock is ahead of the cluster's. */
  readonly clockOffsetMs?: number | null;
  readonly usage: WorkerUsage | null;
  /** It was down and has been registered again by hand. */
  readonly awaited?: Registration | undefined;
}

/** A worker that was registered by hand and has not joined. */
export interface AwaitedWorker {
  readonly awaited: Registration;
}

export interface ClusterSnapshot {
  readonly at: number;
  /** In order of id. */
  readonly workers: readonly WorkerView[];
  /** In order of id; none of them is among `workers`. */
  readonly awaited: readonly AwaitedWorker[];
  readonly tasksByState: Readonly<Record<TaskState, number>>;
  /** Null when it was not measured lately. */
  readonly placementsPerSecond: number | null;
  /** Null until this copy of the API has looked through what ended. */
  readonly sla: SlaAttainment | null;
  readonly forecasts: ForecastScore;
  /** Null when none has led lately, or it cannot be asked. */
  readonly scheduler: SchedulerReport | null;
  /** Ended tasks are kept so long; 0: for ever. */
  readonly retentionMs: number;
}

export function workerBody(view: WorkerView | AwaitedWorker): WorkerBody {
  return 'worker' in view ? joinedBody(view) : awaitedBody(view.awaited);
}

/** All of them, in order of id. */
export function workerBodies({ workers, awaited }: ClusterSnapshot): WorkerBody[] {
  const bodies = [...workers, ...awaited].map(workerBody);
  return awaited.length === 0 ? bodies : bodies.sort((a, b) => (a.worker_id < b.worker_id ? -1 : 1));
}

function awaitedBody(registration: Registration): WorkerBody {
  const nothing = amountsBody(NO_RESOURCES);
  return {
    worker_id: registration.id,
    state: 'unreachable',
    message: registrationMessage(registration),
    troubles: [],
    maintenance: null,
    drain_until: null,
    address: registration.address,
    labels: {},
    mounts: [],
    capacity: nothing,
    reserved: nothing,
    free: nothing,
    tasks: { assigned: 0, running: 0 },
    heartbeat_age_seconds: null,
    clock_offset_ms: null,
    usage: null,
    fingerprint: null,
    registered_at: new Date(registration.requestedAt).toISOString(),
  };
}

function joinedBody(view: WorkerView): WorkerBody {
  const { worker, heartbeatAgeMs } = view;
  const { fingerprint } = worker;
  return {
    worker_id: worker.id,
    state: view.state,
    message: joinedMessage(view),
    troubles: view.state === 'unhealthy' ? (worker.troubles ?? []).map(troubleBody) : [],
    maintenance: worker.maintenance,
    drain_until: drainUntil(worker),
    address: worker.address,
    labels: { ...worker.labels },
    mounts: (worker.mounts ?? []).map(mountRuleBody),
    capacity: amountsBody(worker.capacity),
    reserved: amountsBody(view.reserved),
    free: amountsBody(view.free),
    tasks: { assigned: view.assigned, running: view.running },
    heartbeat_age_seconds: heartbeatAgeMs === null ? null : Math.round(heartbeatAgeMs) / 1000,
    clock_offset_ms: view.clockOffsetMs ?? null,
    usage: view.usage && usageBody(view.usage),
    fingerprint: {
      os: fingerprint.os,
      arch: fingerprint.arch,
      cpu_model: fingerprint.cpuModel,
      cpu_cores: fingerprint.cpuCores,
      memory: fingerprint.memoryMb,
      storage: fingerprint.storageMb,
      gpu_models: [...fingerprint.gpuModels],
      runtime: fingerprint.runtime,
      runtime_version: fingerprint.runtimeVersion,
      version: fingerprint.version,
      task_network: fingerprint.taskNetwork ?? null,
      task_network_why: fingerprint.taskNetworkWhy ?? null,
    },
    registered_at: new Date(worker.registeredAt).toISOString(),
  };
}

function troubleBody({ code, message, since }: Trouble): TroubleBody {
  return { code, message, since: new Date(since).toISOString() };
}

function joinedMessage({ state, assigned, running, awaited, worker }: WorkerView): string | null {
  if (awaited) return registrationMessage(awaited);
  if (state === 'unhealthy') return describeTroubles(worker.troubles ?? []);
  if (state !== 'draining' || assigned + running > 0) return null;
  return 'it is empty and can be removed or uncordoned';
}

function drainUntil({ maintenance, drainUntil: until }: Worker): string | null {
  return maintenance === 'draining' && until !== null ? new Date(until).toISOString() : null;
}

function schedulerBody(report: SchedulerReport, now: number): SchedulerBody {
  const { rules, lines, reservations, at } = report;
  return {
    leading: now - at < SILENT_MS,
    policy: rules.policy,
    ageing_seconds: rules.ageingMs / 1_000,
    reserve_after_seconds: rules.reserveAfterMs / 1_000,
    preemption: rules.preemption,
    waiting_lines: lines,
    // Whose task it is kept for is not for everybody to know.
    reservations: reservations.map(({ workerId, since, until }) => ({
      worker_id: workerId,
      since: new Date(since).toISOString(),
      until: new Date(until).toISOString(),
    })),
    at: new Date(at).toISOString(),
  };
}

export function telemetryReply(snapshot: ClusterSnapshot): TelemetryReply {
  const totals = { capacity: NO_RESOURCES, reserved: NO_RESOURCES, free: NO_RESOURCES };
  const byState: Record<WorkerState, number> = {
    ready: 0,
    cordoned: 0,
    draining: 0,
    unhealthy: 0,
    down: 0,
    unreachable: 0,
  };
  byState.unreachable = snapshot.awaited.length;
  for (const { state, worker, reserved, free } of snapshot.workers) {
    byState[state] += 1;
    if (state === 'down') continue;
    totals.capacity = addResources(totals.capacity, worker.capacity);
    totals.reserved = addResources(totals.reserved, reserved);
    totals.free = addResources(totals.free, free);
  }
  const measured = snapshot.workers.flatMap(({ state, usage, worker: { fingerprint } }) =>
    usage && state !== 'down'
      ? [{ usage, cpuCores: fingerprint.cpuCores, memoryMb: fingerprint.memoryMb }]
      : [],
  );
  return {
    at: new Date(snapshot.at).toISOString(),
    workers_by_state: byState,
    totals: {
      capacity: amountsBody(totals.capacity),
      reserved: amountsBody(totals.reserved),
      free: amountsBody(totals.free),
      usage: usageTotalsBody(sumUsage(measured)),
    },
    tasks_by_state: { ...snapshot.tasksByState },
    // The record, not what Redis moves at this moment: it is right even when Redis was emptied.
    queue_depth: snapshot.tasksByState.queued,
    placements_per_second: snapshot.placementsPerSecond,
    sla: snapshot.sla && attainmentBody(snapshot.sla),
    forecasts: forecastScoreBody(snapshot.forecasts),
    scheduler: snapshot.scheduler && schedulerBody(snapshot.scheduler, snapshot.at),
    retention_days: snapshot.retentionMs / MS_PER_DAY,
    workers: workerBodies(snapshot),
  };
}

/** Why a task waits, as the scheduler's rules have it. */
export interface ExplanationView {
  readonly summary: string;
  readonly reason: QueueReason | null;
  readonly position: number | null;
  readonly feasible: boolean | null;
  readonly fitsNow: boolean | null;
  readonly quota: {
    readonly held: Resources;
    readonly quota: ResourceQuota | null;
    readonly missing: readonly Shortfall[];
  } | null;
  readonly reservedWorker: string | null;
  readonly workers: readonly {
    readonly worker: {
      readonly id: string;
      readonly state: WorkerState;
      readonly trouble?: string;
      readonly labels: Labels;
    };
    readonly excludedBy: ExclusionBody | null;
    readonly fitsNow: boolean;
    readonly fitsWhenEmpty: boolean;
    readonly missing: readonly Shortfall[];
    readonly unmet: LabelTerms;
  }[];
}

export function explainReply(
  task: Task,
  view: ExplanationView,
  estimate: StartEstimateView | null,
): ExplainReply {
  const expiresAt = waitExpiresAt(task);
  return {
    task_id: task.id,
    status: task.state,
    summary: view.summary,
    reason: view.reason,
    position: view.position,
    feasible: view.feasible,
    fits_now: view.fitsNow,
    estimate: estimate && estimateBody(estimate),
    quota: quotaShares(task, view.quota),
    expires_at: expiresAt === null ? null : new Date(expiresAt).toISOString(),
    reserved_worker: view.reservedWorker,
    workers: view.workers.map(({ worker, excludedBy, fitsNow, fitsWhenEmpty, missing, unmet }) => ({
      worker_id: worker.id,
      state: worker.state,
      fits_now: fitsNow,
      fits_when_empty: fitsWhenEmpty,
      excluded_by: excludedBy,
      message: worker.trouble ?? null,
      missing: missing.map(shortfallBody),
      unmet_labels: unmetBodies(withoutMounts(unmet), worker.labels),
      unmet_mounts: unmetMounts(unmet, worker.labels),
    })),
  };
}

function unmetBodies(unmet: LabelTerms, labels: Labels): UnmetLabelBody[] {
  return Object.entries(unmet).map(([name, values]) => ({
    name,
    needs: [...values],
    has: (Object.hasOwn(labels, name) ? labels[name] : null) ?? null,
  }));
}

function unmetMounts(unmet: LabelTerms, labels: Labels): UnmetMountBody[] {
  return Object.entries(unmet)
    .filter(([name]) => isMountTerm(name))
    .map(([name, values]) => ({
      source: folderOfTerm(name),
      read_only: values.includes('ro'),
      only_read_only: labelFor(name, labels) !== undefined,
    }));
}

function quotaShares({ spec }: Task, view: ExplanationView['quota']): QuotaShareBody[] {
  if (!view?.quota) return [];
  const { held, quota, missing } = view;
  return (['cpuMillis', 'memoryMb', 'gpus'] as const).flatMap((of) => {
    const limit = quota[of];
    if (limit === null || limit === undefined) return [];
    const { dimension, unit, scale } = ON_THE_WIRE[of];
    const lacks = missing.find((one) => one.dimension === of)?.missing ?? 0;
    const required = spec.resources[of] / scale;
    return [
      { dimension, unit, limit: limit / scale, held: held[of] / scale, required, missing: lacks / scale },
    ];
  });
}

const ON_THE_WIRE: Readonly<
  Record<Dimension, Pick<ShortfallBody, 'dimension' | 'unit'> & { scale: number }>
> = {
  cpuMillis: { dimension: 'cpu', unit: 'cores', scale: 1_000 },
  memoryMb: { dimension: 'memory', unit: 'MB', scale: 1 },
  gpus: { dimension: 'gpu', unit: 'devices', scale: 1 },
  storageMb: { dimension: 'storage', unit: 'MB', scale: 1 },
};

function shortfallBody(shortfall: Shortfall): ShortfallBody {
  const { dimension, unit, scale } = ON_THE_WIRE[shortfall.dimension];
  return {
    dimension,
    unit,
    required: shortfall.required / scale,
    available: shortfall.available / scale,
    missing: shortfall.missing / scale,
  };
}
