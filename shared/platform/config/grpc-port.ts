// The setting of the port at which gRPC listens; `0` and `off` switch it off.

import Joi from 'joi';
import type { Values } from './reading.ts';

export const DEFAULT_GRPC_PORT = 50_051;

export const grpcPort = Joi.string()
  .custom((text: string, { error }) => (readGrpcPort(text) === undefined ? error('grpc.port') : text))
  .messages({ 'grpc.port': 'must be a number from 1 to 65535, or "off"' });

export function grpcPortOf({ GRPC_PORT: text }: Values): number | null {
  return readGrpcPort(text ?? String(DEFAULT_GRPC_PORT)) ?? null;
}

/** Null: off. Undefined: neither. */
export function readGrpcPort(text: string): number | null | undefined {
  if (text === 'off' || text === '0') return null;
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65_535 ? Number(text) : undefined;
}
