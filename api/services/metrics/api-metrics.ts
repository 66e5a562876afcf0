// The metrics of one copy of the API: its own, and those of the cluster. An answer is made at most once a second for all who
// ask; the record is read for it through the snapshot that others use too, and when it is away the rest is told without it.

import { Counter, Histogram } from 'prom-client';
import type { ClusterSnapshot } from '../../../shared/contracts/cluster.ts';
import { addLeaderMetrics } from '../../../shared/metrics/leader-metrics.ts';
import { addReadMetric, ProcessRegistry } from '../../../shared/metrics/registry.ts';
import type { Log } from '../../../shared/platform/log.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import type { LiveLoad } from '../../live/live.ts';
import { answerWithin } from '../deadline.ts';
import type { LimitKind } from '../request-limits.ts';
import { addClusterMetrics } from './cluster-metrics.ts';

export interface ApiMetricsParts {
  readonly snapshot: () => Promise<ClusterSnapshot>;
  readonly clock: Clock;
  readonly log: Log;
}

export interface AnsweredRequest {
  /** As hapi knows it, in lower case. */
  readonly method: string;
  /** Its template, not what was asked for. */
  readonly route: string;
  readonly status: number;
  readonly tookMs: number;
}

export interface AnsweredCall {
  /** Of the contract, so there are few. */
  readonly method: string;
  /** Name of a status of gRPC. */
  readonly code: string;
  readonly tookMs: number;
}

const FRESH_MS = 1_000;
const SNAPSHOT_DEADLINE_MS = 3_000;
/** A leader speaks every few seconds. */
const LEADER_SILENT_MS = 30_000;
/** Whoever asks with another one must not make a series by that. */
const METHODS = new Set(['get', 'head', 'post', 'put', 'patch', 'delete', 'options']);
const LIMITS: readonly LimitKind[] = ['reads', 'writes', 'anonymous'];
/** From what memory answers to what is given up; watches are open for longer, and count as that. */
const SECONDS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60];
const NO_LOAD: LiveLoad = { sockets: 0, telemetrySockets: 0, unsent: 0 };

export class ApiMetrics {
  readonly #parts: ApiMetricsParts;
  readonly #own = new ProcessRegistry('api');
  readonly #requests: Histogram<'method' | 'route' | 'status'>;
  readonly #limited: Counter<'kind'>;
  readonly #calls: Histogram<'method' | 'code'>;
  readonly #callsLimited: Counter<'kind'>;
  readonly #webhooks: Histogram<'outcome'>;
  #cluster: ClusterSnapshot | null = null;
  #last: { text: Promise<string>; since: number; done: boolean } | null = null;
  /** What is open over sockets; told once they are there. */
  liveLoad: () => LiveLoad = () => NO_LOAD;
  /** What is open over gRPC; told once that is there. */
  grpcWatches: () => number = () => 0;

  constructor(parts: ApiMetricsParts) {
    this.#parts = parts;
    const { registry } = this.#own;
    const registers = [registry];
    this.#requests = new Histogram({
      name: 'cloudai_http_request_duration_seconds',
      help: 'Requests from their head to the last byte of the answer; status 499: the caller left',
      labelNames: ['method', 'route', 'status'],
      buckets: SECONDS,
      registers,
    });
    this.#limited = new Counter({
      name: 'cloudai_http_rate_limited_total',
      help: 'Requests refused for being too many of one user or address',
      labelNames: ['kind'],
      registers,
    });
    this.#calls = new Histogram({
      name: 'cloudai_grpc_call_duration_seconds',
      help: 'Calls over gRPC from their metadata to their status; code CANCELLED: the caller left',
      labelNames: ['method', 'code'],
      buckets: SECONDS,
      registers,
    });
    this.#callsLimited = new Counter({
      name: 'cloudai_grpc_rate_limited_total',
      help: 'Calls over gRPC refused for being too many of one user or address',
      labelNames: ['kind'],
      registers,
    });
    for (const kind of LIMITS) {
      this.#limited.inc({ kind }, 0);
      this.#callsLimited.inc({ kind }, 0);
    }
    this.#webhooks = new Histogram({
      name: 'cloudai_webhook_try_duration_seconds',
      help: 'Tries to deliver to a webhook; failed: it is tried again, gave_up: it is not',
      labelNames: ['outcome'],
      buckets: [0.01, 0.05, 0.25, 1, 5, 10],
      registers,
    });
    addReadMetric(registry, {
      name: 'cloudai_live_sockets',
      help: 'Open sockets of this copy of the API',
      type: 'gauge',
      read: () => {
        const { sockets, telemetrySockets } = this.liveLoad();
        return [
          { labels: { kind: 'socketio' }, value: sockets },
          { labels: { kind: 'telemetry' }, value: telemetrySockets },
        ];
      },
    });
    addReadMetric(registry, {
      name: 'cloudai_grpc_watches',
      help: 'Open watches over gRPC of this copy of the API',
      type: 'gauge',
      read: () => [{ value: this.grpcWatches() }],
    });
    addClusterMetrics(registry, () => this.#cluster);
    addLeaderMetrics(registry, () => {
      const report = this.#cluster?.scheduler ?? null;
      return report && parts.clock.now() - report.at < LEADER_SILENT_MS ? report : null;
    });
  }

  get contentType(): string {
    return this.#own.contentType;
  }

  answered({ method, route, status, tookMs }: AnsweredRequest): void {
    const known = METHODS.has(method) ? method.toUpperCase() : 'other';
    this.#requests.observe({ method: known, route, status }, tookMs / 1_000);
  }

  limited(kind: LimitKind): void {
    this.#limited.inc({ kind });
  }

  called({ method, code, tookMs }: AnsweredCall): void {
    this.#calls.observe({ method, code }, tookMs / 1_000);
  }

  callLimited(kind: LimitKind): void {
    this.#callsLimited.inc({ kind });
  }

  webhookTried(outcome: 'delivered' | 'failed' | 'gave_up', tookMs: number): void {
    this.#webhooks.observe({ outcome }, tookMs / 1_000);
  }

  /** In Prometheus' text format. */
  text(): Promise<string> {
    const now = this.#parts.clock.monotonic();
    if (this.#last && (!this.#last.done || now - this.#last.since < FRESH_MS)) return this.#last.text;
    const last = { text: this.#render(), since: now, done: false };
    this.#last = last;
    const done = () => {
      last.done = true;
    };
    last.text.then(done, done);
    return last.text;
  }

  async #render(): Promise<string> {
    const { snapshot, log } = this.#parts;
    this.#cluster = await answerWithin(snapshot(), SNAPSHOT_DEADLINE_MS, 'the store').catch((error) => {
      log.debug({ err: error }, 'metrics without those of the cluster');
      return null;
    });
    return this.#own.render();
  }
}
