// Errors as gRPC tells them: a status, in the trailing metadata the code and the pause that REST would tell, and the same as
// google.rpc.Status for libraries that read it. Texts and what is kept from callers are decided in api/errors.ts alone.

import { Metadata, status as Status, type StatusObject } from '@grpc/grpc-js';
import { ERROR_CODES, type ErrorCode } from '../../shared/errors.ts';
import { type ErrorReply, errorReply } from '../errors.ts';
import type { Contract, Message } from './contract.ts';

const STATUS: Readonly<Record<ErrorCode, Status>> = {
  invalid_request: Status.INVALID_ARGUMENT,
  unauthenticated: Status.UNAUTHENTICATED,
  forbidden: Status.PERMISSION_DENIED,
  // Waiting alone mends nothing.
  quota_exceeded: Status.FAILED_PRECONDITION,
  not_found: Status.NOT_FOUND,
  conflict: Status.FAILED_PRECONDITION,
  username_taken: Status.ALREADY_EXISTS,
  idempotency_mismatch: Status.ALREADY_EXISTS,
  worker_id_taken: Status.ALREADY_EXISTS,
  adoption_refused: Status.FAILED_PRECONDITION,
  superseded: Status.ABORTED,
  too_large: Status.INVALID_ARGUMENT,
  checksum_mismatch: Status.INVALID_ARGUMENT,
  range_not_satisfiable: Status.OUT_OF_RANGE,
  locked_out: Status.RESOURCE_EXHAUSTED,
  rate_limited: Status.RESOURCE_EXHAUSTED,
  store_unavailable: Status.UNAVAILABLE,
  queue_unavailable: Status.UNAVAILABLE,
  runtime_unavailable: Status.UNAVAILABLE,
  timed_out: Status.UNAVAILABLE,
  disk_full: Status.UNAVAILABLE,
  image_not_found: Status.INTERNAL,
  image_pull_failed: Status.INTERNAL,
  container_start_failed: Status.INTERNAL,
  bad_config: Status.INTERNAL,
  internal: Status.INTERNAL,
};

const DOMAIN = 'cloudai';
/** Clients take about 8 KB of trailing metadata, and base64 makes a third more of it. */
const MAX_FAULT_CHARS = 2_000;

export interface Refusal {
  readonly status: StatusObject & { readonly metadata: Metadata };
  /** For the log: what REST would answer with. */
  readonly reply: ErrorReply;
}

/** @param error whatever ended the call */
export function refusalOf(error: unknown, contract: Contract): Refusal {
  const reply = errorReply(error);
  const { code, message } = reply.body;
  const known = ERROR_CODES.find((one) => one === code) ?? 'internal';
  const metadata = new Metadata();
  metadata.set('error-code', known);
  const retryAfter = reply.headers['retry-after'];
  if (retryAfter !== undefined) metadata.set('retry-after', retryAfter);
  const details = plainText(message);
  metadata.set('grpc-status-details-bin', richStatus(contract, STATUS[known], details, reply));
  return { status: { code: STATUS[known], details, metadata }, reply };
}

/** Half a character, which a cut may leave, is none that can be sent. */
function plainText(text: string): string {
  return Buffer.from(text).toString();
}

function richStatus({ rpc }: Contract, code: Status, message: string, { body, headers }: ErrorReply): Buffer {
  const any = (type: string, value: object) => ({
    type_url: `type.googleapis.com/google.rpc.${type}`,
    value: bytes(rpc(type), value),
  });
  let room = MAX_FAULT_CHARS;
  const faults = body.details.filter(({ field, message: text }) => {
    room -= field.length + text.length;
    return room >= 0;
  });
  const retryAfter = headers['retry-after'];
  return bytes(rpc('Status'), {
    code,
    message,
    details: [
      any('ErrorInfo', { reason: body.code, domain: DOMAIN }),
      ...(faults.length === 0
        ? []
        : [
            any('BadRequest', {
              field_violations: faults.map(({ field, message: text }) => ({ field, description: text })),
            }),
          ]),
      ...(retryAfter === undefined
        ? []
        : [any('RetryInfo', { retry_delay: { seconds: Number(retryAfter) } })]),
    ],
  });
}

function bytes(type: Message, value: object): Buffer {
  return Buffer.from(type.serialize(value));
}
