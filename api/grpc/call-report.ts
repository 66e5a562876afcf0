// What is told of every call once it is over, whoever ended it: one line in the log, one measured value, one span. Decides
// nothing.

import { status as Status } from '@grpc/grpc-js';
import { GRPC_SERVICE } from '../../shared/contracts/grpc.ts';
import { traceIdOf } from '../../shared/model/trace.ts';
import type { Log } from '../../shared/platform/log.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Span, Tracer } from '../../shared/ports/tracing.ts';
import type { ApiMetrics } from '../services/metrics/api-metrics.ts';
import type { Admission } from '../services/request-limits.ts';
import type { Contract } from './contract.ts';
import type { Method } from './rules.ts';
import { type Refusal, refusalOf } from './status.ts';

export interface CallReportParts {
  readonly contract: Contract;
  readonly metrics: Pick<ApiMetrics, 'called' | 'callLimited'>;
  readonly tracer: Tracer;
  readonly clock: Clock;
  readonly log: Log;
}

/** After the conventions of OpenTelemetry: those that are no fault of the caller. */
const FAULTS: ReadonlySet<Status> = new Set([
  Status.UNKNOWN,
  Status.DEADLINE_EXCEEDED,
  Status.UNIMPLEMENTED,
  Status.INTERNAL,
  Status.UNAVAILABLE,
  Status.DATA_LOSS,
]);

export class CallReport {
  readonly #parts: CallReportParts;
  readonly #method: Method;
  readonly #requestId: string;
  readonly #span: Span;
  readonly #since = performance.now();
  #isTold = false;
  /** Null as long as it has not been counted, and where nothing is. */
  admission: Admission | null = null;
  address: string | undefined;
  user: string | undefined;
  taskId: string | undefined;

  /** @param parent as the caller names it */
  constructor(parts: CallReportParts, method: Method, requestId: string, parent: string | null) {
    this.#parts = parts;
    this.#method = method;
    this.#requestId = requestId;
    this.#span = parts.tracer.start(`${GRPC_SERVICE}/${method.name}`, {
      parent,
      kind: 'server',
      at: parts.clock.now(),
      attributes: { 'rpc.system': 'grpc', 'rpc.service': GRPC_SERVICE, 'rpc.method': method.name },
    });
  }

  get traceparent(): string | null {
    return this.#span.traceparent;
  }

  /** What the caller is told of an error; what is a fault of ours goes to the log. */
  refusal(error: unknown): Refusal['status'] {
    const { status, reply } = refusalOf(error, this.#parts.contract);
    if (reply.severity) {
      const { name: rpc } = this.#method;
      this.#parts.log[reply.severity]({ err: error, requestId: this.#requestId, rpc }, 'call failed');
    }
    return status;
  }

  /** Told once: by the first who says how it ended. */
  over(code: Status): void {
    if (this.#isTold) return;
    this.#isTold = true;
    const tookMs = performance.now() - this.#since;
    const { metrics, clock } = this.#parts;
    const { name } = this.#method;
    metrics.called({ method: name, code: Status[code], tookMs });
    if (this.admission && !this.admission.verdict.isAllowed) metrics.callLimited(this.admission.kind);
    this.#span.set({ 'rpc.grpc.status_code': code, 'cloudai.request_id': this.#requestId });
    if (FAULTS.has(code)) this.#span.fail(`ended with ${Status[code]}`);
    this.#span.end(clock.now());
    this.#log(code, tookMs);
  }

  #log(code: Status, tookMs: number): void {
    const { log } = this.#parts;
    const { name, rule } = this.#method;
    const line = {
      requestId: this.#requestId,
      rpc: name,
      status: Status[code],
      ms: Math.round(tookMs),
      user: this.user,
      address: this.address,
      ...(this.traceparent === null ? {} : { traceId: traceIdOf(this.traceparent) }),
      ...(this.taskId === undefined ? {} : { taskId: this.taskId }),
    };
    // As with requests: reading goes on all day, and of a flood that is refused one line tells enough.
    const isQuiet = rule.kind === 'reads' && (code === Status.OK || code === Status.CANCELLED);
    if (isQuiet || code === Status.RESOURCE_EXHAUSTED) log.debug(line, 'call');
    else log.info(line, 'call');
  }
}
