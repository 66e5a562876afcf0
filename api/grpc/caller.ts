// A call that was let in, as its handler knows it: who is calling, and what is told of the call when it is over.

import type { ServiceError } from '@grpc/grpc-js';
import type { Principal } from '../../shared/model/user.ts';
import { originOfSession } from '../plugins/audit.ts';
import type { Origin } from '../services/audit-trail.ts';
import type { Session } from '../services/sessions.ts';

export interface Caller {
  /** Null of nobody who signed in. */
  readonly session: Session | null;
  readonly address: string;
  readonly requestId: string;
  /** Of the span of the call; null when nobody traces. */
  readonly traceparent: string | null;
  /** Which task it is about, for the log. */
  about(taskId: string): void;
  /** What the caller is told of a call that ends by this error. */
  refusal(error: unknown): ServiceError;
}

/** For those who write down what was done. */
export function originOf({ session, address, requestId }: Caller): Origin {
  return originOfSession(session, address, requestId);
}

/** Only where a sign-in is asked for. */
export function principalOf({ session }: Caller): Principal {
  if (!session) throw new Error('a call that asks who is calling is open');
  return session.principal;
}

/** To be spread into the spec of a task that this call submits. */
export function traceOf({ traceparent }: Caller): { readonly traceparent?: string } {
  return traceparent === null ? {} : { traceparent };
}
