// A real HTTP server for tests of the client and the CLI: each test says what it answers, it tells what was asked.

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { TaskBody } from '../../shared/contracts/http.ts';
import type { ForecastScoreBody, QueueEntryBody } from '../../shared/contracts/queue.ts';
import { SUBMIT_DEFAULTS } from '../../shared/contracts/submit-defaults.ts';
import type { AccountBody } from '../../shared/contracts/users.ts';
import type { ExplainReply, TelemetryReply, WorkerBody } from '../../shared/contracts/workers.ts';

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: Record<string, string>;
  readonly headers: IncomingMessage['headers'];
  /** Parsed when it is JSON, else the bytes. */
  readonly body: unknown;
}

export type Answer = (asked: Asked, reply: ServerResponse) => unknown;

export interface SmallApi {
  readonly url: string;
  readonly asked: Asked[];
  /** `GET /api/tasks/:id` → what to answer: a value is sent as JSON, undefined means the answer wrote itself. */
  on(route: string, answer: Answer): void;
  close(): Promise<void>;
}

/** An answer with another status than 200. */
export class Status {
  readonly status: number;
  readonly body: unknown;
  readonly headers: Record<string, string>;
  constructor(status: number, body: unknown, headers: Record<string, string> = {}) {
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

export function refusal(status: number, code: string, message: string, details: unknown[] = []): Status {
  return new Status(status, { statusCode: status, error: 'Refused', code, message, details });
}

export async function startSmallApi(): Promise<SmallApi> {
  const routes = new Map<string, Answer>();
  const asked: Asked[] = [];
  const server = createServer(async (request, reply) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const bytes = Buffer.concat(chunks);
    const isJson = request.headers['content-type'] === 'application/json';
    const one: Asked = {
      method: request.method ?? '',
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      headers: request.headers,
      body: bytes.length === 0 ? undefined : isJson ? JSON.parse(bytes.toString()) : bytes,
    };
    asked.push(one);
    const found = [...routes].find(([route]) => matches(route, `${one.method} ${one.path}`));
    const result = found ? await found[1](one, reply) : refusal(404, 'not_found', `no route for ${one.path}`);
    if (result === undefined) return;
    const { status, body, headers } = result instanceof Status ? result : new Status(200, result);
    reply.writeHead(status, { 'content-type': 'application/json', ...headers });
    reply.end(status === 204 ? undefined : JSON.stringify(body));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    on: (route, answer) => void routes.set(route, answer),
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

function matches(route: string, request: string): boolean {
  return new RegExp(`^${route.replaceAll(/:[a-z]+/g, '[^/]+')}$`).test(request);
}

export const TASK_ID = 'task-01jd8x2b9q3v5w7y8z0a1c2d3e';

export function makeTaskBody(over: Partial<TaskBody> = {}): TaskBody {
  return {
    task_id: TASK_ID,
    status: 'queued',
    reason: null,
    message: null,
    exit_code: null,
    user: 'alice',
    worker_id: null,
    attempt: 1,
    failures: 0,
    losses: 0,
    max_losses: 5,
    cancel_requested: false,
    submitted_at: '2026-01-01T10:00:00.000Z',
    queued_at: '2026-01-01T10:00:00.000Z',
    not_before: null,
    expires_at: null,
    assigned_at: null,
    started_at: null,
    finished_at: null,
    docker_image: 'python:3.9',
    ...SUBMIT_DEFAULTS,
    attempts: [],
    ...over,
  };
}

/** A task whose first attempt has run to its end. */
export function makeEndedBody(over: Partial<TaskBody> = {}): TaskBody {
  const times = {
    assigned_at: '2026-01-01T10:00:01.000Z',
    started_at: '2026-01-01T10:00:02.000Z',
    finished_at: '2026-01-01T10:00:05.200Z',
  };
  return makeTaskBody({
    status: 'completed',
    exit_code: 0,
    worker_id: 'worker-1',
    ...times,
    attempts: [
      {
        attempt: 1,
        state: 'completed',
        worker_id: 'worker-1',
        not_before: null,
        ...times,
        reason: null,
        exit_code: 0,
        message: null,
        container_id: 'c0ffee',
        image_id: 'sha256:beef',
        gpu_ids: [],
        eviction: null,
        usage: null,
        progress: null,
        outputs: null,
        hint: null,
      },
    ],
    ...over,
  });
}

export function makeQueueEntry(over: Partial<QueueEntryBody> = {}): QueueEntryBody {
  return {
    position: 1,
    task_id: TASK_ID,
    name: 'my-task',
    user: 'alice',
    tag: '',
    docker_image: 'python:3.9',
    priority: 5,
    cpu_required: 1,
    memory_required: 512,
    gpu_required: 0,
    storage_required: 0,
    worker: '',
    attempt: 1,
    submitted_at: '2026-01-01T10:00:00.000Z',
    queued_at: '2026-01-01T10:00:00.000Z',
    not_before: null,
    expires_at: null,
    reason: 'no_room',
    summary: 'Waits: needs 1 core, the only worker (worker-1) has 0 free of 4.',
    estimate: null,
    ...over,
  };
}

/** Of an API that has foretold nothing yet. */
export const NO_LIMITS: AccountBody['quota'] = {
  unfinished_tasks: null,
  upload_storage: null,
  cpu: null,
  memory: null,
  gpu: null,
  rate_limit_reads: null,
  rate_limit_writes: null,
};

export const NO_SCORES: ForecastScoreBody = {
  window_seconds: 86_400,
  scored: 0,
  within_band: 0,
  median_error_seconds: null,
  median_late_seconds: null,
};

export function makeExplainReply(over: Partial<ExplainReply> = {}): ExplainReply {
  return {
    task_id: TASK_ID,
    status: 'queued',
    summary: 'No worker has 4 GPUs free.',
    reason: 'never',
    position: 1,
    feasible: false,
    fits_now: false,
    estimate: null,
    quota: [],
    expires_at: null,
    reserved_worker: null,
    workers: [
      {
        worker_id: 'worker-1',
        state: 'ready',
        fits_now: false,
        fits_when_empty: false,
        excluded_by: null,
        message: null,
        missing: [{ dimension: 'gpu', unit: 'devices', required: 4, available: 0, missing: 4 }],
        unmet_labels: [],
        unmet_mounts: [],
      },
    ],
    ...over,
  };
}

export function makeWorkerBody(over: Partial<WorkerBody> = {}): WorkerBody {
  return {
    worker_id: 'worker-1',
    state: 'ready',
    message: null,
    troubles: [],
    maintenance: 'none',
    drain_until: null,
    address: '10.0.0.1',
    labels: {},
    mounts: [],
    capacity: { cpu: 8, memory: 16_384, gpu: 0, storage: 100_000 },
    reserved: { cpu: 2, memory: 4_096, gpu: 0, storage: 0 },
    free: { cpu: 6, memory: 12_288, gpu: 0, storage: 100_000 },
    tasks: { assigned: 1, running: 2 },
    heartbeat_age_seconds: 1.2,
    clock_offset_ms: 3,
    usage: {
      cpu_percent: 37.5,
      memory_used: 5_000,
      storage_used: 40_000,
      network_receive_rate: 2_000_000,
      network_transmit_rate: 1_500,
      gpus: [],
    },
    fingerprint: {
      os: 'linux',
      arch: 'x64',
      cpu_model: 'test',
      cpu_cores: 8,
      memory: 16_384,
      storage: 100_000,
      gpu_models: [],
      runtime: 'docker',
      runtime_version: '20.10.24',
      task_network: null,
      task_network_why: null,
      version: '0.1.0',
    },
    registered_at: '2026-01-01T09:00:00.000Z',
    ...over,
  };
}

/** Of a cluster of two such workers, both measured. */
export function makeTelemetry(over: Partial<TelemetryReply> = {}): TelemetryReply {
  return {
    at: '2026-01-01T10:01:00.000Z',
    // More states than this version knows are possible.
    workers_by_state: { ready: 1, cordoned: 0, draining: 0, unhealthy: 0, down: 0, ...{ unreachable: 1 } },
    totals: {
      capacity: { cpu: 16, memory: 32_768, gpu: 0, storage: 200_000 },
      reserved: { cpu: 4, memory: 8_192, gpu: 0, storage: 0 },
      free: { cpu: 12, memory: 24_576, gpu: 0, storage: 200_000 },
      usage: {
        cpu_percent: 37.5,
        cpu_cores: 16,
        memory_used: 10_240,
        memory_total: 32_768,
        storage_used: 80_000,
        network_receive_rate: 4_000_000,
        network_transmit_rate: 3_000,
        gpus: null,
      },
    },
    tasks_by_state: { queued: 4, assigned: 0, running: 2, completed: 9, failed: 1, cancelled: 0 },
    queue_depth: 4,
    placements_per_second: 12.34,
    sla: null,
    retention_days: 0,
    forecasts: NO_SCORES,
    scheduler: {
      leading: true,
      policy: 'best-fit',
      ageing_seconds: 600,
      reserve_after_seconds: 60,
      preemption: false,
      waiting_lines: 2,
      reservations: [],
      at: '2026-01-01T10:00:58.000Z',
    },
    workers: [makeWorkerBody(), makeWorkerBody({ worker_id: 'worker-2' })],
    ...over,
  };
}
