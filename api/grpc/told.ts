// What a caller is told of a call that failed, and what goes to the log of it.

import type { ServiceError } from '@grpc/grpc-js';
import type { Log } from '../../shared/platform/log.ts';
import type { Contract } from './contract.ts';
import { refusalOf } from './status.ts';

export interface ToldParts {
  readonly contract: Contract;
  readonly log: Log;
}

export function told(
  { contract, log }: ToldParts,
  error: unknown,
  call: { getPath(): string },
): ServiceError {
  const { status, reply } = refusalOf(error, contract);
  if (reply.severity) log[reply.severity]({ err: error, rpc: call.getPath() }, 'call failed');
  return Object.assign(new Error(status.details), status);
}
