// The secret that a cluster and the machines it calls share: in a setting, or in a file that a setting names.

import { readFileSync } from 'node:fs';
import Joi from 'joi';
import { messageOf } from '../../errors.ts';
import { CLUSTER_TOKEN_MIN_LENGTH } from '../adoption-proof.ts';
import type { Values } from './reading.ts';

const TOKEN_TOO_SHORT = `must be at least ${CLUSTER_TOKEN_MIN_LENGTH} characters, for example from "openssl rand -hex 32"`;

/** `clusterTokenOf` takes it from the values. */
export const clusterTokenSettings = {
  CLUSTER_TOKEN: Joi.string().min(CLUSTER_TOKEN_MIN_LENGTH).messages({ 'string.min': TOKEN_TOO_SHORT }),
  CLUSTER_TOKEN_FILE: Joi.string()
    .custom(readToken)
    .messages({
      'token.twice': 'cannot be set beside CLUSTER_TOKEN: set one of them',
      'token.unreadable': 'cannot be read: {#reason}',
      'token.short': `names a file whose text ${TOKEN_TOO_SHORT}`,
    }),
};

export function clusterTokenOf(v: Values): string | null {
  return v.CLUSTER_TOKEN ?? v.CLUSTER_TOKEN_FILE ?? null;
}

function readToken(path: string, { error, prefs }: Joi.CustomHelpers): string | Joi.ErrorReport {
  if (prefs.context?.CLUSTER_TOKEN !== undefined) return error('token.twice');
  try {
    const token = readFileSync(path, 'utf8').trim();
    return token.length >= CLUSTER_TOKEN_MIN_LENGTH ? token : error('token.short');
  } catch (cause) {
    return error('token.unreadable', { reason: messageOf(cause) });
  }
}
