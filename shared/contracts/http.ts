// The REST contract as types (workers and the cluster in workers.ts), and where the wire’s snake_case meets the code’s camelCase.
// No validation here (see schemas.ts), so that a browser can import this file without a validation library.
// On the wire: cpu in cores, memory and storage in MB (1,048,576 bytes), times as ISO 8601 strings.

import type { ErrorDetail } from '../errors.ts';
import type { Resources } from '../model/resources.ts';
import { DEFAULT_MAX_LOSSES, waitExpiresAt } from '../model/retry.ts';
import type { Sla } from '../model/sla.ts';
import type {
  Attempt,
  AttemptState,
  Eviction,
  FailureReason,
  PullPolicy,
  RetryReason,
  Task,
  TaskNetwork,
  TaskSpec,
  TaskState,
} from '../model/task.ts';
import type { ApiToken, Role, User } from '../model/user.ts';
import { type LabelTermsBody, labelTerms, labelTermsBody } from './labels.ts';
import { type MountBody, mountBody, mountOf } from './mounts.ts';
import { type SlaBody, slaBody } from './queue.ts';
import type { AttemptReportBody, TimelineEntryBody } from './usage.ts';
import { attemptReportBody, timelineBody } from './usage.ts';
import type { WebhookTargetBody } from './webhooks.ts';

// ── errors ─────────────────────────────────────────────────────────────────────────────────────────────────

export interface ErrorBody {
  statusCode: number;
  /** HTTP's name of the status, e.g. `Bad Request`. */
  error: string;
  /** Stable code to match on, one of `ERROR_CODES`. */
  code: string;
  message: string;
  details: ErrorDetail[];
}

// ── accounts ───────────────────────────────────────────────────────────────────────────────────────────────

export interface CredentialsBody {
  username: string;
  password: string;
}

export interface UserBody {
  user_id: string;
  username: string;
  role: Role;
  created_at: string;
}

export interface LoginReply {
  token: string;
  expires_at: string;
  user: UserBody;
}

export interface TokenBody {
  token_id: string;
  name: string;
  created_at: string;
  last_used_at: string | null;
}

/** The only time the token itself is shown. */
export interface NewTokenReply extends TokenBody {
  token: string;
}

export function userBody(user: User): UserBody {
  return { user_id: user.id, username: user.username, role: user.role, created_at: iso(user.createdAt) };
}

export function tokenBody(token: ApiToken): TokenBody {
  return {
    token_id: token.id,
    name: token.name,
    created_at: iso(token.createdAt),
    last_used_at: isoOrNull(token.lastUsedAt),
  };
}

// ── tasks ──────────────────────────────────────────────────────────────────────────────────────────────────

/** What `POST /api/tasks` takes after defaults are filled in. A client may leave out all but the image. */
export interface SubmitBody {
  docker_image: string;
  command: string | string[] | null;
  cpu_required: number;
  memory_required: number;
  gpu_required: number;
  storage_required: number;
  tag: string;
  k_value: number;
  name: string;
  env: Record<string, string>;
  priority: number;
  timeout_seconds: number;
  max_retries: number;
  /** After which failures of its own it is tried again. */
  retry_on: RetryReason[];
  /** With which exit codes, where it is `exit_code`; none named means any. */
  retry_on_exit_codes: number[];
  /** Of the first retry; doubled with each further one. */
  retry_delay_seconds: number;
  /** How long it may wait at a time until it is placed; 0 means for ever. */
  queue_timeout_seconds: number;
  worker: string;
  /** Labels its worker must have. */
  constraints: LabelTermsBody;
  /** Labels that make a worker better than another. */
  prefer: LabelTermsBody;
  files: string[];
  /** Folders of its worker that it finds in its container. */
  mounts: MountBody[];
  secrets: string[];
  pull_policy: PullPolicy;
  network: TaskNetwork;
  webhook: WebhookTargetBody | null;
}

export type SubmitRequest = Pick<SubmitBody, 'docker_image'> & Partial<SubmitBody>;

/** It is to leave its worker, or has left it, to run again; its task pays nothing for that. */
export interface EvictionBody {
  requested_at: string;
  cause: Eviction['cause'];
  /** In words for the user. */
  message: string;
}

export interface AttemptBody extends AttemptReportBody {
  attempt: number;
  state: AttemptState;
  worker_id: string;
  /** End of the pause before it; null when there was none. */
  not_before: string | null;
  assigned_at: string;
  started_at: string | null;
  finished_at: string | null;
  reason: FailureReason | null;
  exit_code: number | null;
  message: string | null;
  container_id: string | null;
  image_id: string | null;
  gpu_ids: string[];
  eviction: EvictionBody | null;
}

export interface TaskBody extends SubmitBody {
  task_id: string;
  status: TaskState;
  /** Why it failed, as a code; null unless it failed. */
  reason: FailureReason | null;
  message: string | null;
  exit_code: number | null;
  user: string;
  /** The worker of the current or last attempt; `worker` is the one that was asked for. */
  worker_id: string | null;
  attempt: number;
  /** Of `max_retries` so many are spent. */
  failures: number;
  /** Attempts that faults of workers have cost; it is given up after `max_losses`. */
  losses: number;
  max_losses: number;
  cancel_requested: boolean;
  submitted_at: string;
  queued_at: string;
  not_before: string | null;
  /** When it is given up unless it is placed before; null when it does not wait, or may wait for ever. */
  expires_at: string | null;
  assigned_at: string | null;
  started_at: string | null;
  finished_at: string | null;
  attempts: AttemptBody[];
  /** What happened and when; only where one task is asked for, so that lists stay small. */
  timeline?: TimelineEntryBody[];
  /** When it is purged with its output and files; null: never, or not yet known. Only where one task is asked for. */
  kept_until?: string | null;
  /** How it does against its deadline; only where one task is asked for, and not of one that failed or was cancelled. */
  sla?: SlaBody;
}

export interface TaskListReply {
  tasks: TaskBody[];
  /** Pass as `cursor` for the next page; null at the end. */
  next_cursor: string | null;
}

export interface BatchReply {
  tasks: TaskBody[];
}

/** What `POST /api/tasks/states` takes: up to 1,000 ids. */
export interface TaskStatesRequest {
  task_ids: string[];
}

/** How far a task is, and nothing else of it: small enough to be asked for by the thousand. */
export type TaskStateBody = Pick<
  TaskBody,
  'task_id' | 'name' | 'status' | 'reason' | 'message' | 'exit_code' | 'attempt' | 'worker_id' | 'finished_at'
>;

export interface TaskStatesReply {
  /** In any order, each once. */
  tasks: TaskStateBody[];
  /** Those of the ids that the caller has no task for. */
  unknown: string[];
}

/** Shown instead of the value of an environment entry that `secrets` names. */
export const MASKED = '********';

export function taskSpec(body: SubmitBody): TaskSpec {
  return {
    image: body.docker_image,
    command: body.command,
    resources: {
      cpuMillis: Math.round(body.cpu_required * 1000),
      memoryMb: Math.ceil(body.memory_required),
      gpus: body.gpu_required,
      storageMb: Math.ceil(body.storage_required),
    },
    name: body.name,
    tag: body.tag,
    kValue: body.k_value,
    env: body.env,
    secrets: body.secrets,
    priority: body.priority,
    timeoutSeconds: body.timeout_seconds,
    maxRetries: body.max_retries,
    retryOn: body.retry_on,
    retryOnExitCodes: body.retry_on_exit_codes,
    retryDelaySeconds: body.retry_delay_seconds,
    queueTimeoutSeconds: body.queue_timeout_seconds,
    // The API puts in what the cluster has set.
    maxLosses: DEFAULT_MAX_LOSSES,
    worker: body.worker === '' ? null : body.worker,
    constraints: labelTerms(body.constraints),
    prefer: labelTerms(body.prefer),
    files: body.files,
    mounts: body.mounts.map(mountOf),
    pullPolicy: body.pull_policy,
    network: body.network,
    webhook: body.webhook,
  };
}

export function taskBody(task: Task): TaskBody {
  const { spec } = task;
  return {
    task_id: task.id,
    status: task.state,
    reason: task.reason,
    message: task.message,
    exit_code: task.exitCode,
    user: task.ownerName,
    worker_id: task.workerId,
    attempt: task.attempt,
    failures: task.failures,
    losses: task.losses,
    max_losses: spec.maxLosses,
    cancel_requested: task.cancel !== null,
    submitted_at: iso(task.submittedAt),
    queued_at: iso(task.queuedAt),
    not_before: task.notBefore === 0 ? null : iso(task.notBefore),
    expires_at: isoOrNull(waitExpiresAt(task)),
    assigned_at: isoOrNull(task.assignedAt),
    started_at: isoOrNull(task.startedAt),
    finished_at: isoOrNull(task.finishedAt),
    docker_image: spec.image,
    command: typeof spec.command === 'string' || spec.command === null ? spec.command : [...spec.command],
    cpu_required: spec.resources.cpuMillis / 1000,
    memory_required: spec.resources.memoryMb,
    gpu_required: spec.resources.gpus,
    storage_required: spec.resources.storageMb,
    tag: spec.tag,
    k_value: spec.kValue,
    name: spec.name,
    env: Object.fromEntries(
      Object.entries(spec.env).map(([name, value]) => [name, spec.secrets.includes(name) ? MASKED : value]),
    ),
    priority: spec.priority,
    timeout_seconds: spec.timeoutSeconds,
    max_retries: spec.maxRetries,
    retry_on: [...spec.retryOn],
    retry_on_exit_codes: [...spec.retryOnExitCodes],
    retry_delay_seconds: spec.retryDelaySeconds,
    queue_timeout_seconds: spec.queueTimeoutSeconds,
    worker: spec.worker ?? '',
    constraints: labelTermsBody(spec.constraints),
    prefer: labelTermsBody(spec.prefer),
    files: [...spec.files],
    mounts: spec.mounts.map(mountBody),
    secrets: [...spec.secrets],
    pull_policy: spec.pullPolicy,
    network: spec.network,
    // Tasks of earlier releases have none.
    webhook: spec.webhook ? { url: spec.webhook.url, events: [...spec.webhook.events] } : null,
    attempts: task.attempts.map((attempt) => attemptBody(attempt, spec.resources)),
  };
}

export function taskStateBody(task: Task): TaskStateBody {
  return {
    task_id: task.id,
    name: task.spec.name,
    status: task.state,
    reason: task.reason,
    message: task.message,
    exit_code: task.exitCode,
    attempt: task.attempt,
    worker_id: task.workerId,
    finished_at: isoOrNull(task.finishedAt),
  };
}

/**
 * One task with its timeline and how it does against its deadline.
 * @param retentionMs how long it is kept after its end; 0 for ever
 */
export function taskDetailBody(task: Task, sla: Sla | null = null, retentionMs = 0): TaskBody {
  const keptUntil = task.finishedAt === null || retentionMs === 0 ? null : task.finishedAt + retentionMs;
  return { ...taskBodyWithSla(task, sla), kept_until: isoOrNull(keptUntil), timeline: timelineBody(task) };
}

export function taskBodyWithSla(task: Task, sla: Sla | null): TaskBody {
  const body = taskBody(task);
  return sla ? { ...body, sla: slaBody(sla) } : body;
}

function attemptBody(attempt: Attempt, requested: Resources): AttemptBody {
  return {
    attempt: attempt.number,
    state: attempt.state,
    worker_id: attempt.workerId,
    not_before: attempt.notBefore === 0 ? null : iso(attempt.notBefore),
    assigned_at: iso(attempt.assignedAt),
    started_at: isoOrNull(attempt.startedAt),
    finished_at: isoOrNull(attempt.finishedAt),
    reason: attempt.reason,
    exit_code: attempt.exitCode,
    message: attempt.message,
    container_id: attempt.containerId,
    image_id: attempt.imageId,
    gpu_ids: [...attempt.gpuIds],
    eviction: attempt.eviction && evictionBody(attempt.eviction),
    ...attemptReportBody(attempt, requested),
  };
}

function evictionBody({ requestedAt, cause, message }: Eviction): EvictionBody {
  return { requested_at: iso(requestedAt), cause, message };
}

// ── readiness ──────────────────────────────────────────────────────────────────────────────────────────────

export interface ReadyReply {
  status: 'ready' | 'unavailable';
  checks: Record<string, { ok: boolean; message: string | null }>;
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function isoOrNull(ms: number | null): string | null {
  return ms === null ? null : iso(ms);
}
