// The REST API as typed functions, for the CLI, the dashboard and scripts. Holds no state but address and token.
// Must run in Node and in a browser: nothing of Node may be imported here or below.

import type { HistoryReply } from '../shared/contracts/history.ts';
import type {
  BatchReply,
  CredentialsBody,
  LoginReply,
  NewTokenReply,
  ReadyReply,
  SubmitRequest,
  TaskBody,
  TaskListReply,
  TaskStatesReply,
  TokenBody,
  UserBody,
} from '../shared/contracts/http.ts';
import type { LogLineBody } from '../shared/contracts/log-lines.ts';
import type { WhatIfReply, WhatIfRequest } from '../shared/contracts/what-if.ts';
import type {
  DrainBody,
  ExplainReply,
  TelemetryReply,
  WorkerBody,
  WorkerListReply,
} from '../shared/contracts/workers.ts';
import type { TaskState } from '../shared/model/task.ts';
import { type AuditCalls, auditCalls } from './audit.ts';
import { type BackupCalls, backupCalls } from './backups.ts';
import { type DecisionCalls, decisionCalls } from './decisions.ts';
import { type FileCalls, fileCalls } from './files.ts';
import { type TaskListCalls, taskListCalls } from './task-lists.ts';
import { type LogOptions, type LogTextOptions, openTaskLogText, readTaskLogs } from './task-logs.ts';
import { type Call, type ClientOptions, Transport } from './transport.ts';
import { type UploadCalls, uploadCalls } from './uploads.ts';
import { type UserCalls, userCalls } from './users.ts';
import { type WebhookCalls, webhookCalls } from './webhooks.ts';

export { ApiError, ConnectionError, isAway, mayPass } from './errors.ts';
export type { FileCalls, FileDownload, FileOf } from './files.ts';
export type { LogOptions, LogTextOptions } from './task-logs.ts';
export type { ClientOptions } from './transport.ts';

export interface TaskFilter {
  readonly status?: readonly TaskState[] | undefined;
  readonly tag?: string | undefined;
  /** Username; admins only. */
  readonly user?: string | undefined;
  readonly worker?: string | undefined;
  readonly q?: string | undefined;
  /** 1 to 1,000; the API's default is 50. */
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

export interface HistoryFilter {
  readonly metrics: readonly string[];
  /** `-15m`, `-2h`, `now` or a time; by default the last hour. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** Seconds between two points; by default as few as are kept. */
  readonly step?: number | undefined;
  /** By default the whole cluster. */
  readonly worker?: string | undefined;
}

/** Every call may be given up through this signal. */
export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

/** All calls throw ApiError or ConnectionError; see `errors.ts`. */
export interface Client
  extends AuditCalls,
    BackupCalls,
    DecisionCalls,
    FileCalls,
    TaskListCalls,
    UploadCalls,
    UserCalls,
    WebhookCalls {
  readonly url: string;
  register(credentials: CredentialsBody): Promise<UserBody>;
  login(credentials: CredentialsBody): Promise<LoginReply>;
  createToken(name: string): Promise<NewTokenReply>;
  listTokens(options?: CallOptions): Promise<TokenBody[]>;
  deleteToken(tokenId: string): Promise<void>;
  /** With the same key again the API gives back the same task instead of a second one. */
  submitTask(body: SubmitRequest, options?: { idempotencyKey?: string | undefined }): Promise<TaskBody>;
  /** All or none, at most 1,000, in the order given. With the same key again the API gives back the same tasks. */
  submitBatch(
    tasks: readonly SubmitRequest[],
    options?: { idempotencyKey?: string | undefined } & CallOptions,
  ): Promise<TaskBody[]>;
  /** How far tasks are, at most 1,000 of them. */
  taskStates(taskIds: readonly string[], options?: CallOptions): Promise<TaskStatesReply>;
  listTasks(filter?: TaskFilter, options?: CallOptions): Promise<TaskListReply>;
  getTask(taskId: string, options?: CallOptions): Promise<TaskBody>;
  /** The task as it is after the request: `cancelled` at once if it waited, else with `cancel_requested`. */
  cancelTask(taskId: string, options?: { force?: boolean | undefined }): Promise<TaskBody>;
  /** A new task from the same spec; with the same key again the same new task. */
  retryTask(taskId: string, options?: { idempotencyKey?: string | undefined }): Promise<TaskBody>;
  explainTask(taskId: string, options?: CallOptions): Promise<ExplainReply>;
  /** Where tasks would go; nothing is submitted. */
  whatIf(question: WhatIfRequest, options?: CallOptions): Promise<WhatIfReply>;
  taskLogs(taskId: string, options?: LogOptions): AsyncIterable<LogLineBody>;
  /** What there is now, as a terminal shows it. Reads as fast as the reader takes it. */
  taskLogText(taskId: string, options?: LogTextOptions): Promise<ReadableStream<Uint8Array>>;
  listWorkers(options?: CallOptions): Promise<WorkerBody[]>;
  getWorker(workerId: string, options?: CallOptions): Promise<WorkerBody>;
  /** The worker as it is then: with a `message` while it has not joined and is called again and again. */
  registerWorker(workerId: string, address: string, options?: CallOptions): Promise<WorkerBody>;
  cordonWorker(workerId: string): Promise<WorkerBody>;
  uncordonWorker(workerId: string): Promise<WorkerBody>;
  /** What still runs there after the deadline (0: at once) is moved elsewhere; without one, never. */
  drainWorker(workerId: string, options?: { deadlineSeconds?: number | undefined }): Promise<WorkerBody>;
  removeWorker(workerId: string): Promise<void>;
  telemetry(options?: CallOptions): Promise<TelemetryReply>;
  telemetryHistory(filter: HistoryFilter, options?: CallOptions): Promise<HistoryReply>;
  /** Answers also when the cluster is not ready, and says why. */
  ready(options?: CallOptions): Promise<ReadyReply>;
}

export function createClient(options: ClientOptions): Client {
  const transport = new Transport(options);
  const get = <T>(path: string, { signal }: CallOptions = {}, more: Partial<Call> = {}) =>
    transport.json<T>({ method: 'GET', path, signal, ...more });
  const post = <T>(path: string, body?: unknown, headers: Record<string, string> = {}) =>
    transport.json<T>({ method: 'POST', path, headers, ...(body === undefined ? {} : { body }) });
  const remove = (path: string) => transport.json<void>({ method: 'DELETE', path });
  const task = (id: string) => `/api/tasks/${encodeURIComponent(id)}`;
  const maintain = (id: string, verb: string, body?: DrainBody) =>
    post<WorkerBody>(`/api/workers/${encodeURIComponent(id)}/${verb}`, body);
  const getTask = (id: string, call?: CallOptions) => get<TaskBody>(task(id), call);

  return {
    ...webhookCalls(transport),
    url: transport.url,
    register: (credentials) => post('/api/auth/register', credentials),
    login: (credentials) => post('/api/auth/login', credentials),
    createToken: (name) => post('/api/auth/tokens', { name }),
    listTokens: async (call) => (await get<{ tokens: TokenBody[] }>('/api/auth/tokens', call)).tokens,
    deleteToken: (id) => remove(`/api/auth/tokens/${encodeURIComponent(id)}`),
    submitTask: (body, { idempotencyKey } = {}) => post('/api/tasks', body, keyed(idempotencyKey)),
    submitBatch: async (tasks, { idempotencyKey, signal } = {}) => {
      const headers = keyed(idempotencyKey);
      const call = { method: 'POST', path: '/api/tasks/batch', body: { tasks }, headers, signal } as const;
      return (await transport.json<BatchReply>(call)).tasks;
    },
    taskStates: (ids, { signal } = {}) =>
      transport.json({ method: 'POST', path: '/api/tasks/states', body: { task_ids: ids }, signal }),
    listTasks: ({ status, ...filter } = {}, call = {}) =>
      get('/api/tasks', call, { query: { ...filter, status: status?.join(',') } }),
    getTask,
    cancelTask: (id, { force = false } = {}) => post(`${task(id)}/cancel`, { force }),
    retryTask: (id, { idempotencyKey } = {}) => post(`${task(id)}/retry`, undefined, keyed(idempotencyKey)),
    explainTask: (id, call) => get(`${task(id)}/explain`, call),
    whatIf: (body, { signal } = {}) => transport.json({ method: 'POST', path: '/api/whatif', body, signal }),
    taskLogs: (id, log = {}) => readTaskLogs(transport, id, () => getTask(id, { signal: log.signal }), log),
    taskLogText: (id, log) => openTaskLogText(transport, id, log),
    listWorkers: async (call) => (await get<WorkerListReply>('/workers', call)).workers,
    getWorker: (id, call) => get(`/workers/${encodeURIComponent(id)}`, call),
    registerWorker: (id, address, { signal } = {}) =>
      transport.json({ method: 'POST', path: '/api/workers', body: { id, address }, signal }),
    cordonWorker: (id) => maintain(id, 'cordon'),
    uncordonWorker: (id) => maintain(id, 'uncordon'),
    drainWorker: (id, { deadlineSeconds } = {}) =>
      maintain(
        id,
        'drain',
        deadlineSeconds === undefined ? undefined : { deadline_seconds: deadlineSeconds },
      ),
    removeWorker: (id) => remove(`/api/workers/${encodeURIComponent(id)}`),
    telemetry: (call) => get('/telemetry', call),
    telemetryHistory: ({ metrics, ...filter }, call = {}) =>
      get('/telemetry/history', call, { query: { ...filter, metric: metrics.join(',') } }),
    ready: (call) => get('/readyz', call, { expected: [503] }),
    ...decisionCalls(transport),
    ...backupCalls(transport),
    ...fileCalls(transport),
    ...uploadCalls(transport),
    ...userCalls(transport),
    ...auditCalls(transport),
    ...taskListCalls(transport),
  };
}

function keyed(idempotencyKey: string | undefined): Record<string, string> {
  return idempotencyKey ? { 'idempotency-key': idempotencyKey } : {};
}
