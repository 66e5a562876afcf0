// What waits, in the order in which it is tried, and when it should start; and how tasks do against their deadlines.
// Like http.ts a browser may import this file. Times are ISO 8601 strings, spans are seconds.

import type { ForecastScore } from '../model/forecast-score.ts';
import type { Resources } from '../model/resources.ts';
import { queueExpiresAt } from '../model/retry.ts';
import type { Sla, SlaAttainment } from '../model/sla.ts';
import type { TaskBody } from './http.ts';

/** When a waiting task should start, from how long tasks like those before it took; `earliest` ≤ `at` ≤ `latest`. */
export interface StartEstimateBody {
  at: string;
  earliest: string;
  latest: string;
}

export interface QueueEntryBody
  extends Pick<
    TaskBody,
    | 'task_id'
    | 'name'
    | 'user'
    | 'tag'
    | 'docker_image'
    | 'priority'
    | 'cpu_required'
    | 'memory_required'
    | 'gpu_required'
    | 'storage_required'
    | 'worker'
    | 'attempt'
    | 'submitted_at'
    | 'queued_at'
    | 'not_before'
    | 'expires_at'
  > {
  /** Among all that wait, 1 is next. */
  position: number;
  /** Why it has not started, as a code. */
  reason: QueueReason;
  /** The same in a sentence or two for a person. */
  summary: string;
  /** Null when no worker that takes tasks could ever run it, or it is too far down to say. */
  estimate: StartEstimateBody | null;
}

/**
 * `next`: it fits now and is about to be placed · `behind`: it fits, others go before it · `no_room`: workers are full,
 * or kept free for others · `reserved`: as `no_room`, and a worker is being kept free for it · `preempting`: and tasks
 * there have been told to leave · `quota_used`: others of its owner must end first · `over_quota`: larger than the quota
 * of its owner in all · `not_ready`: those large enough are cordoned, draining, unhealthy or down · `worker_missing`: it
 * may run on one worker only, which is not there · `labels_missing`: no worker has the labels it needs · `mounts_missing`:
 * workers have these, and none lets be mounted what it mounts · `never`: no worker is large enough · `retry_delay`: it waits before its next attempt · `no_workers`
 */
export const QUEUE_REASONS = [
  'next',
  'behind',
  'no_room',
  'not_ready',
  'worker_missing',
  'labels_missing',
  'mounts_missing',
  'never',
  'over_quota',
  'quota_used',
  'reserved',
  'preempting',
  'retry_delay',
  'no_workers',
] as const;
export type QueueReason = (typeof QUEUE_REASONS)[number];

export interface QueueReply {
  /** All that wait in the cluster, of whomever. */
  total: number;
  /** A user's own, an admin's all, in order of position. */
  entries: QueueEntryBody[];
  /** How well starts were foretold lately. */
  forecasts: ForecastScoreBody;
  /** Pass as `cursor` for the next page; null at the end. */
  next_cursor: string | null;
}

/** Estimates of at least ten seconds ahead, of a sample of tasks, against when they started. By one copy of the API. */
export interface ForecastScoreBody {
  window_seconds: number;
  /** Tasks that have started of which an estimate was kept; the newest 1,000 at most. */
  scored: number;
  /** Those that started between `earliest` and `latest`. */
  within_band: number;
  /** Half of the starts were nearer to `at`; null when nothing was scored. */
  median_error_seconds: number | null;
  /** With its sign: above zero they started later than `at`, below zero earlier. */
  median_late_seconds: number | null;
}

/** How far a task is from its deadline: submitted + k × expected run time. Failed and cancelled ones have none. */
export interface SlaBody {
  /** Median run time of tasks of the same image and tag that had completed when it was submitted; else a default. */
  expected_seconds: number;
  /** How many finished tasks that is learned from; 0: it is the default. */
  learned_from: number;
  deadline: string;
  /**
   * `met` and `missed` are final once the task has completed. Before: `safe`; `at_risk` when what is left is less than
   * the expected rest of the run; `missed` when the deadline has passed.
   */
  state: 'safe' | 'at_risk' | 'met' | 'missed';
}

/** Over tasks that completed within the window. */
export interface SlaAttainmentBody {
  window_seconds: number;
  met: number;
  missed: number;
  /** met / (met + missed), 0 to 1; null when no task completed in the window. */
  attainment: number | null;
}

/** A waiting task and what is known of its wait. Times are milliseconds since the epoch. */
export interface QueueEntryView {
  readonly entry: {
    readonly id: string;
    readonly name: string;
    readonly ownerName: string;
    readonly tag: string;
    readonly image: string;
    readonly priority: number;
    readonly resources: Resources;
    readonly worker: string | null;
    readonly attempt: number;
    readonly submittedAt: number;
    readonly queuedAt: number;
    readonly notBefore: number;
    readonly queueTimeoutSeconds: number;
  };
  readonly position: number;
  readonly reason: QueueReason;
  readonly summary: string;
  readonly estimate: StartEstimateView | null;
}

export interface StartEstimateView {
  readonly at: number;
  readonly earliest: number;
  readonly latest: number;
}

export function queueEntryBody({
  entry,
  position,
  reason,
  summary,
  estimate,
}: QueueEntryView): QueueEntryBody {
  const { resources } = entry;
  const expiresAt = queueExpiresAt(entry);
  return {
    position,
    task_id: entry.id,
    name: entry.name,
    user: entry.ownerName,
    tag: entry.tag,
    docker_image: entry.image,
    priority: entry.priority,
    cpu_required: resources.cpuMillis / 1000,
    memory_required: resources.memoryMb,
    gpu_required: resources.gpus,
    storage_required: resources.storageMb,
    worker: entry.worker ?? '',
    attempt: entry.attempt,
    submitted_at: iso(entry.submittedAt),
    queued_at: iso(entry.queuedAt),
    not_before: entry.notBefore === 0 ? null : iso(entry.notBefore),
    expires_at: expiresAt === null ? null : iso(expiresAt),
    reason,
    summary,
    estimate: estimate && estimateBody(estimate),
  };
}

export function estimateBody({ at, earliest, latest }: StartEstimateView): StartEstimateBody {
  return { at: iso(at), earliest: iso(earliest), latest: iso(latest) };
}

export function slaBody({ expectedMs, learnedFrom, deadline, state }: Sla): SlaBody {
  return {
    expected_seconds: Math.round(expectedMs) / 1000,
    learned_from: learnedFrom,
    deadline: iso(deadline),
    state,
  };
}

export function attainmentBody({ windowMs, met, missed }: SlaAttainment): SlaAttainmentBody {
  const ended = met + missed;
  return { window_seconds: windowMs / 1000, met, missed, attainment: ended === 0 ? null : met / ended };
}

export function forecastScoreBody(score: ForecastScore): ForecastScoreBody {
  const seconds = (ms: number | null) => (ms === null ? null : Math.round(ms) / 1000);
  return {
    window_seconds: score.windowMs / 1000,
    scored: score.scored,
    within_band: score.withinBand,
    median_error_seconds: seconds(score.medianErrorMs),
    median_late_seconds: seconds(score.medianLateMs),
  };
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
