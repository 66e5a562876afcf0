// The record of a task: what was asked for, where it stands, and the story of its attempts.
// Times are milliseconds since the epoch by the cluster's clock.

import type { LabelTerms } from './labels.ts';
import type { Mount } from './mounts.ts';
import type { OwnProgress } from './progress.ts';
import type { Resources } from './resources.ts';
import type { AttemptUsage } from './usage.ts';
import type { UsageSeries } from './usage-series.ts';
import type { WebhookTarget } from './webhook.ts';

export const TASK_STATES = ['queued', 'assigned', 'running', 'completed', 'failed', 'cancelled'] as const;
export type TaskState = (typeof TASK_STATES)[number];

export const FAILURE_REASONS = [
  /** The program ended with an exit code other than zero. */
  'exit_code',
  /** The kernel killed it for going over its memory limit. */
  'oom_killed',
  /** It ran longer than `timeoutSeconds`. */
  'timed_out',
  /** The image is missing, not allowed, or could not be pulled. */
  'image_error',
  /** The container could not be created or started: no such command, no permission. */
  'start_error',
  /** The worker ran out of disk while it prepared or ran the task. */
  'disk_full',
  /** Output could not be kept. */
  'output_error',
  /** The container engine failed in a way that is not the task's fault. */
  'runtime_error',
  /** The worker was lost more often than the platform retries. */
  'worker_lost',
  /** It waited longer than `queueTimeoutSeconds`. */
  'queue_timed_out',
] as const;
export type FailureReason = (typeof FAILURE_REASONS)[number];

/** The failures of its own that a task may ask to be tried again after. */
export const RETRY_REASONS = [
  'exit_code',
  'oom_killed',
  'timed_out',
  'output_error',
  'image_error',
  'start_error',
] as const satisfies readonly FailureReason[];
export type RetryReason = (typeof RETRY_REASONS)[number];

export const PULL_POLICIES = ['if-missing', 'always', 'never'] as const;
export type PullPolicy = (typeof PULL_POLICIES)[number];

export const NETWORKS = ['bridge', 'none'] as const;
export type TaskNetwork = (typeof NETWORKS)[number];

/** What the user asked for. Never changes after submission. */
export interface TaskSpec {
  readonly image: string;
  /** A string runs through `/bin/sh -c`, a list is exec form, null means the image's own command. */
  readonly command: string | readonly string[] | null;
  readonly resources: Resources;
  readonly name: string;
  readonly tag: string;
  /** SLA multiplier: the task should finish within k times its expected run time. */
  readonly kValue: number;
  readonly env: Readonly<Record<string, string>>;
  /** Names of entries of `env` whose values are never shown and are masked in logs. */
  readonly secrets: readonly string[];
  /** 0 (whenever) to 9 (first); 5 is the default. */
  readonly priority: number;
  /** Limit of the run in seconds; 0 means none. */
  readonly timeoutSeconds: number;
  /** How often the task's own failure is tried again. Platform faults do not count. */
  readonly maxRetries: number;
  /** After which failures of its own. */
  readonly retryOn: readonly RetryReason[];
  /** With which exit codes, where it is `exit_code`; none named means any. */
  readonly retryOnExitCodes: readonly number[];
  /** Of the first retry; doubled with each further one, with jitter. 0 means at once. */
  readonly retryDelaySeconds: number;
  /** How long it may wait at a time until it is placed; 0 means for ever. */
  readonly queueTimeoutSeconds: number;
  /** Platform faults after which it is given up: the setting of the cluster at the time of its submission. */
  readonly maxLosses: number;
  /** Direct assignment: the id of the only worker that may run it, or null. */
  readonly worker: string | null;
  /** Labels its worker must have. */
  readonly constraints: LabelTerms;
  /** Labels that make a worker better than another. */
  readonly prefer: LabelTerms;
  /** Paths in the owner's file space, mounted read-only below `/input`. */
  readonly files: readonly string[];
  /** Folders of its worker that it finds in its container. */
  readonly mounts: readonly Mount[];
  readonly pullPolicy: PullPolicy;
  readonly network: TaskNetwork;
  /** Told of this task's changes, besides the webhooks of its owner. */
  readonly webhook: WebhookTarget | null;
  /** W3C trace context of its submission: all that is done for it belongs to that trace. Absent where nobody traces. */
  readonly traceparent?: string;
}

/** What was kept of the files an attempt left in `/output`. */
export interface OutputSummary {
  readonly files: number;
  readonly bytes: number;
  /** What was left out and why, in words for the user; null when all was kept. */
  readonly note: string | null;
}

export const ATTEMPT_STATES = [
  'assigned',
  'running',
  'completed',
  'failed',
  'cancelled',
  /** Its worker is gone. */
  'lost',
  /** The scheduler took it from its worker, to run it again. */
  'evicted',
] as const;
export type AttemptState = (typeof ATTEMPT_STATES)[number];

export const EVICTION_CAUSES = ['preempted', 'drained', 'unhealthy', 'shut_down'] as const;

/** The scheduler's wish that a running attempt leaves its worker; the task goes back to the queue and pays nothing. */
export interface Eviction {
  readonly requestedAt: number;
  /**
   * `preempted`: for a task of higher priority. `drained`: its worker is to be empty by now. `unhealthy`: its worker cannot
   * start it. `shut_down`: its worker ends.
   */
  readonly cause: (typeof EVICTION_CAUSES)[number];
  /** In words for the user. */
  readonly message: string;
}

/** One placement of a task on one worker. A task that is placed again gets a new one. */
export interface Attempt {
  /** 1 for the first. */
  readonly number: number;
  readonly state: AttemptState;
  readonly workerId: string;
  /** Leadership term of the scheduler that placed it. */
  readonly term: number;
  /** The pause before it ended then (back-off after a failure); 0 when there was none. */
  readonly notBefore: number;
  readonly assignedAt: number;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
  readonly reason: FailureReason | null;
  readonly exitCode: number | null;
  readonly message: string | null;
  readonly containerId: string | null;
  /** Content id of the image that ran, e.g. `sha256:…`. */
  readonly imageId: string | null;
  /** Devices the scheduler set aside for it; once it runs, those the container was given. */
  readonly gpuIds: readonly string[];
  /** Null unless it is to leave, or has left, before its end. */
  readonly eviction: Eviction | null;
  /** Measured while it ran; null when it was too short to be measured. */
  readonly usage: AttemptUsage | null;
  /** The same over time; too much for lists of tasks. */
  readonly usageSeries: UsageSeries | null;
  /** The last it said of itself; null when it said nothing. */
  readonly progress: OwnProgress | null;
  /** Null until it has ended, and when it left no files. */
  readonly outputs: OutputSummary | null;
}

export interface CancelRequest {
  readonly requestedAt: number;
  readonly requestedBy: string;
  /** True: SIGKILL at once instead of SIGTERM and a grace period. */
  readonly force: boolean;
}

export interface Task {
  readonly id: string;
  /** User id of the owner. */
  readonly ownerId: string;
  readonly ownerName: string;
  readonly spec: TaskSpec;
  readonly state: TaskState;
  /** Grows by one with every committed write: the compare-and-set token. Starts at 1. */
  readonly revision: number;
  /** Number of the current or next attempt. Starts at 1, grows when the task goes back to the queue. */
  readonly attempt: number;
  /** Own failures so far, compared with `spec.maxRetries`. */
  readonly failures: number;
  /** Attempts lost to platform faults so far. */
  readonly losses: number;
  /** Worker of the current attempt, or of the last one once the task has ended; null while queued. */
  readonly workerId: string | null;
  readonly reason: FailureReason | null;
  readonly exitCode: number | null;
  /** Why it ended or waits again, in words for the user. */
  readonly message: string | null;
  readonly cancel: CancelRequest | null;
  /** Not to be placed before this time (back-off after a failure). 0 means at once. */
  readonly notBefore: number;
  readonly attempts: readonly Attempt[];
  readonly idempotencyKey: string | null;
  /** Hash of the request body that came with the idempotency key. */
  readonly requestHash: string | null;
  readonly submittedAt: number;
  /** When it last entered the queue. */
  readonly queuedAt: number;
  readonly assignedAt: number | null;
  readonly startedAt: number | null;
  readonly finishedAt: number | null;
}

/** The attempt that is assigned or running now, or null. */
export function currentAttempt(task: Task): Attempt | null {
  return task.attempts.find((attempt) => attempt.number === task.attempt) ?? null;
}
