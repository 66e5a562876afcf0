// The secret that a cluster and the machines it calls share: in a setting, or in a file that a setting names.

import Joi from 'joi';
import { CLUSTER_TOKEN_MIN_LENGTH } from '../adoption-proof.ts';
import { type Values, valueFile } from './reading.ts';

const TOKEN_TOO_SHORT = `must be at least ${CLUSTER_TOKEN_MIN_LENGTH} characters, for example from "openssl rand -hex 32"`;

/** `clusterTokenOf` takes it from the values. */
export const clusterTokenSettings = {
  CLUSTER_TOKEN: Joi.string().min(CLUSTER_TOKEN_MIN_LENGTH).messages({ 'string.min': TOKEN_TOO_SHORT }),
  CLUSTER_TOKEN_FILE: valueFile,
};

export function clusterTokenOf(v: Values): string | null {
  return v.CLUSTER_TOKEN ?? null;
}
