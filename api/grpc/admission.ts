// What every call of ours passes before its request is read: who is calling, how many calls that is, its turn among those of
// its caller, its turn to send. What someone may do is decided by the services. Reflection and health are open to all.

import type { ServerInterceptingCallInterface } from '@grpc/grpc-js';
import { Metadata, ServerInterceptingCall, type ServerInterceptor, status as Status } from '@grpc/grpc-js';
import { AppError } from '../../shared/errors.ts';
import { givenId, RequestIds } from '../http/request-ids.ts';
import type { TrustedProxies } from '../http/trusted-proxies.ts';
import { limitHeaders } from '../plugins/rate-limits.ts';
import { networkOf } from '../services/network-of.ts';
import { LimitReached, type RequestLimits } from '../services/request-limits.ts';
import type { RequestTurns, Turn } from '../services/request-turns.ts';
import { bearerToken, type Session, type Sessions } from '../services/sessions.ts';
import { CallReport, type CallReportParts } from './call-report.ts';
import type { Caller } from './caller.ts';
import { type Method, methodsOf } from './rules.ts';

export interface AdmissionParts extends CallReportParts {
  readonly sessions: Pick<Sessions, 'check' | 'asOfNow'>;
  readonly proxies: TrustedProxies;
  readonly requestLimits: RequestLimits;
  /** Those of REST: a caller's requests share their places, whatever they come by. */
  readonly requestTurns: RequestTurns;
  /** Of large requests on their way in. */
  readonly arrivals: RequestTurns;
  /** A request that is not there by then will not come. */
  readonly arrivalMs: number;
  readonly observeAuth: 'open' | 'required';
}

/** What grpc itself calls a partial status, and does not export. */
type SentStatus = Parameters<ServerInterceptingCallInterface['sendStatus']>[0];

export class Admissions {
  readonly #parts: AdmissionParts;
  readonly #methods: ReadonlyMap<string, Method>;
  /** By the metadata of a call, which its handler gets too. */
  readonly #callers = new WeakMap<Metadata, Caller>();
  readonly #ids = new RequestIds('rpc');

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
    this.#methods = methodsOf(parts.contract);
  }

  callerOf(metadata: Metadata): Caller {
    const caller = this.#callers.get(metadata);
    if (!caller) throw new Error('a call came in without being admitted');
    return caller;
  }

  readonly intercept: ServerInterceptor = (definition, call) => {
    const method = this.#methods.get(definition.path);
    if (!method) return new ServerInterceptingCall(call);
    const onAdmitted = (metadata: Metadata, caller: Caller) => this.#callers.set(metadata, caller);
    return new Entry(this.#parts, { method, id: this.#ids.next(), call, onAdmitted }).intercepted;
  };
}

interface EntryOptions {
  readonly method: Method;
  /** Unless the caller gives one. */
  readonly id: string;
  readonly call: ServerInterceptingCallInterface;
  readonly onAdmitted: (metadata: Metadata, caller: Caller) => void;
}

/** One call on its way in and out. */
class Entry {
  readonly intercepted: ServerInterceptingCall;
  readonly #parts: AdmissionParts;
  readonly #method: Method;
  readonly #call: ServerInterceptingCallInterface;
  #id: string;
  #report: CallReport | null = null;
  #turn: Turn | null = null;
  #arrival: Turn | null = null;
  #late: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(parts: AdmissionParts, { method, id, call, onAdmitted }: EntryOptions) {
    this.#parts = parts;
    this.#method = method;
    this.#call = call;
    this.#id = id;
    // What grpc sends by itself (at a deadline, for a request too large) passes by no interceptor, only by this.
    const send = call.sendStatus.bind(call);
    call.sendStatus = (status) => send(this.#leave(status));
    this.intercepted = new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, pass) => {
            this.#enter(metadata).then(
              (caller) => {
                onAdmitted(metadata, caller);
                pass(metadata);
              },
              (error: unknown) => this.#refuse(error),
            );
          },
          onReceiveHalfClose: (pass) => {
            this.#arrived();
            pass();
          },
          onCancel: () => {
            this.#isOver = true;
            this.#arrived();
            // Work that has begun goes on without its caller, so whoever hangs up gains nothing by it.
            this.#turn?.abandoned();
            this.#report?.over(Status.CANCELLED);
          },
        }),
    });
  }

  async #enter(metadata: Metadata): Promise<Caller> {
    this.#id = givenId(metadata.get('x-request-id')[0]) ?? this.#id;
    const [parent] = metadata.get('traceparent');
    const report = new CallReport(
      this.#parts,
      this.#method,
      this.#id,
      parent === undefined ? null : String(parent),
    );
    this.#report = report;
    const address = this.#parts.proxies.addressOf(addressOf(this.#call.getPeer()), forwardedFor(metadata));
    report.address = address;
    let session = await this.#signIn(metadata);
    report.user = session?.principal.username;
    const userId = session?.principal.userId;
    const { requestLimits, requestTurns, arrivals, arrivalMs } = this.#parts;
    const { kind, large } = this.#method.rule;
    report.admission =
      userId === undefined
        ? requestLimits.admit('anonymous', { address })
        : requestLimits.admit(kind, { userId });
    const payer = userId ?? networkOf(address);
    this.#turn = this.#stillWanted(requestTurns.take(payer));
    await this.#turn.began;
    if (large) {
      this.#arrival = this.#stillWanted(arrivals.take(payer));
      await this.#arrival.began;
    }
    // Whoever lost a right while the call stood in line does nothing by it any more.
    if (session && this.#asksForSignIn) session = await this.#parts.sessions.asOfNow(session);
    if (!this.#isOver) this.#late = setTimeout(() => this.#refuse(LATE), arrivalMs);
    return {
      session,
      address,
      requestId: this.#id,
      traceparent: report.traceparent,
      about: (taskId) => {
        report.taskId = taskId;
      },
      refusal: (error) => {
        const status = report.refusal(error);
        return Object.assign(new Error(status.details), status);
      },
    };
  }

  get #asksForSignIn(): boolean {
    return !this.#method.rule.observe || this.#parts.observeAuth === 'required';
  }

  async #signIn(metadata: Metadata): Promise<Session | null> {
    const [header] = metadata.get('authorization');
    const text = header === undefined ? undefined : String(header);
    const { sessions } = this.#parts;
    if (this.#asksForSignIn) return sessions.check(bearerToken(text));
    if (text === undefined) return null;
    // As in REST: where nobody has to sign in, a token that is no good is none.
    try {
      return await sessions.check(bearerToken(text));
    } catch {
      return null;
    }
  }

  /** Who went while something was awaited takes no place. */
  #stillWanted(turn: Turn): Turn {
    if (this.#isOver) turn.over();
    return turn;
  }

  /** The request is there, or will not come. */
  #arrived(): void {
    clearTimeout(this.#late);
    this.#arrival?.over();
  }

  #refuse(error: unknown): void {
    const report = this.#report;
    if (report && error instanceof LimitReached) report.admission = error.admission;
    if (report && !this.#isOver) this.#call.sendStatus(report.refusal(error));
  }

  /** With what goes out with every status. */
  #leave(status: SentStatus): SentStatus {
    this.#isOver = true;
    this.#arrived();
    this.#turn?.over();
    this.#report?.over(status.code);
    const metadata = status.metadata?.clone() ?? new Metadata();
    metadata.set('x-request-id', this.#id);
    const admission = this.#report?.admission;
    if (admission) for (const [name, value] of limitHeaders(admission)) metadata.set(name, value);
    return { ...status, metadata };
  }
}

const LATE = new AppError('timed_out', 'the request did not arrive in time; send it again', {
  retryable: true,
});

/** As proxies of HTTP/2 write it down. */
function forwardedFor(metadata: Metadata): string | undefined {
  const said = metadata.get('x-forwarded-for');
  return said.length === 0 ? undefined : said.join(',');
}

/** Of `address:port`. */
function addressOf(peer: string): string {
  return peer.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
}
