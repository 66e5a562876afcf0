// What every call of ours passes before its request is read: who is calling, how many calls that is, its turn to send; and
// what it gets at its end: an id, its place in the rate limit, a line in the log. What someone may do is decided by the
// services. Reflection and health are open to all.

import {
  Metadata,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  status as Status,
} from '@grpc/grpc-js';
import type { Principal } from '../../shared/model/user.ts';
import type { Log } from '../../shared/platform/log.ts';
import { givenId, RequestIds } from '../http/request-ids.ts';
import type { TrustedProxies } from '../http/trusted-proxies.ts';
import { originOfSession } from '../plugins/audit.ts';
import { limitHeaders } from '../plugins/rate-limits.ts';
import type { Origin } from '../services/audit-trail.ts';
import { type Admission, LimitReached, type RequestLimits } from '../services/request-limits.ts';
import { bearerToken, type Session, type Sessions } from '../services/sessions.ts';
import type { Contract } from './contract.ts';
import type { Receiving } from './receiving.ts';
import { refusalOf } from './status.ts';

export interface AdmissionParts {
  readonly contract: Contract;
  readonly sessions: Pick<Sessions, 'check'>;
  readonly requestLimits: RequestLimits;
  readonly proxies: TrustedProxies;
  readonly receiving: Receiving;
  readonly observeAuth: 'open' | 'required';
  readonly log: Log;
}

interface Rule {
  readonly kind: 'reads' | 'writes';
  /** What shows the cluster, where that is open. */
  readonly observe?: true;
  /** Its requests may be large. */
  readonly large?: true;
}

export const RULES: Readonly<Record<string, Rule>> = {
  SubmitTask: { kind: 'writes', large: true },
  GetTask: { kind: 'reads' },
  ListTasks: { kind: 'reads' },
  CancelTask: { kind: 'writes' },
  WatchTask: { kind: 'reads' },
  ListWorkers: { kind: 'reads', observe: true },
  WatchTelemetry: { kind: 'reads', observe: true },
};

/** `session` is null of nobody who signed in. */
export interface Caller {
  readonly session: Session | null;
  readonly address: string;
  readonly requestId: string;
}

/** What grpc itself calls a partial status, and does not export. */
type SentStatus = Parameters<ServerInterceptingCallInterface['sendStatus']>[0];

export class Admissions {
  readonly #parts: AdmissionParts;
  /** By the metadata of a call, which its handler gets too. */
  readonly #callers = new WeakMap<Metadata, Caller>();
  readonly #ids = new RequestIds('rpc');

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
  }

  callerOf(metadata: Metadata): Caller {
    const caller = this.#callers.get(metadata);
    if (!caller) throw new Error('a call came in without being admitted');
    return caller;
  }

  /** For those who write down what was done. */
  originOf(metadata: Metadata): Origin {
    const { session, address, requestId } = this.callerOf(metadata);
    return originOfSession(session, address, requestId);
  }

  /** Only where a sign-in is asked for. */
  principalOf(metadata: Metadata): Principal {
    const { session } = this.callerOf(metadata);
    if (!session) throw new Error('a call that asks who is calling is open');
    return session.principal;
  }

  readonly intercept: ServerInterceptor = (method, call) => {
    const name = method.path.split('/').at(-1) ?? '';
    const rule = method.path.startsWith('/cloudai.') ? RULES[name] : undefined;
    if (!rule) return new ServerInterceptingCall(call);
    return new Entry(this.#parts, { name, rule, id: this.#ids.next() }, call, (metadata, caller) =>
      this.#callers.set(metadata, caller),
    ).intercepted;
  };
}

interface Named {
  readonly name: string;
  readonly rule: Rule;
  readonly id: string;
}

/** One call on its way in and out. */
class Entry {
  readonly intercepted: ServerInterceptingCall;
  readonly #parts: AdmissionParts;
  readonly #rule: Rule;
  readonly #name: string;
  readonly #call: ServerInterceptingCallInterface;
  readonly #gone = new AbortController();
  readonly #since = performance.now();
  #id: string;
  #user: string | undefined;
  #admission: Admission | null = null;
  #received: (() => void) | null = null;
  #isLogged = false;

  constructor(
    parts: AdmissionParts,
    { name, rule, id }: Named,
    call: ServerInterceptingCallInterface,
    onAdmitted: (metadata: Metadata, caller: Caller) => void,
  ) {
    this.#parts = parts;
    this.#name = name;
    this.#rule = rule;
    this.#id = id;
    this.#call = call;
    this.intercepted = new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, mdNext) => {
            this.#enter(metadata).then(
              (caller) => {
                onAdmitted(metadata, caller);
                mdNext(metadata);
              },
              (error: unknown) => this.#refuse(error),
            );
          },
          onReceiveHalfClose: (hcNext) => {
            this.#received?.();
            hcNext();
          },
          onCancel: () => {
            this.#gone.abort();
            // The status that grpc itself sends, at a deadline, does not come by here.
            this.#tell(Status.CANCELLED);
          },
        }),
      sendStatus: (status, next) => {
        this.#received?.();
        next(this.#dressed(status));
      },
    });
  }

  async #enter(metadata: Metadata): Promise<Caller> {
    this.#id = givenId(metadata.get('x-request-id')[0]) ?? this.#id;
    const address = this.#parts.proxies.addressOf(addressOf(this.#call.getPeer()), forwardedFor(metadata));
    const session = await this.#signIn(metadata);
    this.#user = session?.principal.username;
    const { requestLimits, receiving } = this.#parts;
    const userId = session?.principal.userId;
    this.#admission =
      userId === undefined
        ? requestLimits.admit('anonymous', { address })
        : requestLimits.admit(this.#rule.kind, { userId });
    if (this.#rule.large && userId !== undefined) {
      const late = (error: unknown) => this.#refuse(error);
      this.#received = await receiving.begin(userId, late, this.#gone.signal);
    }
    return { session, address, requestId: this.#id };
  }

  async #signIn(metadata: Metadata): Promise<Session | null> {
    const [header] = metadata.get('authorization');
    const text = header === undefined ? undefined : String(header);
    const { sessions, observeAuth } = this.#parts;
    if (!this.#rule.observe || observeAuth === 'required') return sessions.check(bearerToken(text));
    if (text === undefined) return null;
    // As in REST: where nobody has to sign in, a token that is no good is none.
    try {
      return await sessions.check(bearerToken(text));
    } catch {
      return null;
    }
  }

  #refuse(error: unknown): void {
    if (error instanceof LimitReached) this.#admission = error.admission;
    const { status, reply } = refusalOf(error, this.#parts.contract);
    if (reply.severity) {
      this.#parts.log[reply.severity]({ err: error, requestId: this.#id, rpc: this.#name }, 'call failed');
    }
    this.#call.sendStatus(this.#dressed(status));
  }

  #dressed(status: SentStatus): SentStatus {
    this.#tell(status.code ?? Status.UNKNOWN);
    const metadata = status.metadata?.clone() ?? new Metadata();
    metadata.set('x-request-id', this.#id);
    if (this.#admission) for (const [name, value] of limitHeaders(this.#admission)) metadata.set(name, value);
    return { ...status, metadata };
  }

  #tell(code: Status): void {
    if (this.#isLogged) return;
    this.#isLogged = true;
    const line = {
      requestId: this.#id,
      rpc: this.#name,
      status: Status[code],
      ms: Math.round(performance.now() - this.#since),
      user: this.#user,
    };
    const isQuiet = this.#rule.kind === 'reads' && (code === Status.OK || code === Status.CANCELLED);
    if (isQuiet || code === Status.RESOURCE_EXHAUSTED) this.#parts.log.debug(line, 'call');
    else this.#parts.log.info(line, 'call');
  }
}

/** As proxies of HTTP/2 write it down. */
function forwardedFor(metadata: Metadata): string | undefined {
  const said = metadata.get('x-forwarded-for');
  return said.length === 0 ? undefined : said.join(',');
}

/** Of `address:port`. */
function addressOf(peer: string): string {
  return peer.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
}
