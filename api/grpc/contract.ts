// The gRPC contract as this process has it: read once from the .proto files, which lie beside the compiled code as well.
// Answers that many get alike are bytes by the time they are sent, so bytes pass through.

import { resolve } from 'node:path';
import type { ServiceDefinition } from '@grpc/grpc-js';
import {
  loadSync,
  type MessageTypeDefinition,
  type Options,
  type PackageDefinition,
} from '@grpc/proto-loader';
import { protoPath as healthProto } from 'grpc-health-check';
import { GRPC_SERVICE } from '../../shared/contracts/grpc.ts';
import { shownDefinition } from './shown.ts';
import { type Converter, converterOf } from './wire.ts';

const CONTRACTS = resolve(import.meta.dirname, '../../shared/contracts');
const OPTIONS: Options = { keepCase: true, longs: Number, enums: String };

export type Message = MessageTypeDefinition<object, object>;

export interface Contract {
  readonly service: ServiceDefinition;
  /** What reflection shows. */
  readonly shown: PackageDefinition;
  /** Bytes of a message from what REST would answer: null where a field is to be absent, ISO times, states as words. */
  encoder(type: string): (body: object) => Buffer;
  /** Names of fields of a body that the message has none for. */
  missing(type: string, body: object): string[];
  /** Of google.rpc, for details of errors. */
  readonly rpc: (type: string) => Message;
}

export function loadContract(): Contract {
  const own = loadSync(resolve(CONTRACTS, 'cloudai.proto'), OPTIONS);
  const rpc = loadSync(resolve(CONTRACTS, 'rpc-status.proto'), OPTIONS);
  const converters = new Map<string, Converter>();
  const converter = (type: string) => {
    const found = converters.get(type) ?? converterOf(own, type);
    converters.set(type, found);
    return found;
  };
  return {
    service: bytesPass(own[GRPC_SERVICE] as ServiceDefinition),
    shown: shownDefinition(
      { ...loadSync([resolve(CONTRACTS, 'cloudai.proto'), healthProto], OPTIONS), ...rpc },
      rpc['google.protobuf.FileDescriptorProto'] as never,
    ),
    encoder: (type) => {
      const { convert } = converter(type);
      const { serialize } = own[`cloudai.v1.${type}`] as Message;
      return (body) => serialize(convert(body));
    },
    missing: (type, body) => converter(type).missing(body),
    rpc: (type) => rpc[`google.rpc.${type}`] as Message,
  };
}

function bytesPass(service: ServiceDefinition): ServiceDefinition {
  return Object.fromEntries(
    Object.entries(service).map(([name, method]) => [
      name,
      { ...method, responseSerialize: (value: Buffer) => value },
    ]),
  );
}
