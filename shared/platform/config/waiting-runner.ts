// Settings of a runner that has no cluster yet and waits to be adopted, each with its default and its check. What the
// cluster decides is not among them.

import { isIPv6 } from 'node:net';
import { resolve } from 'node:path';
import Joi from 'joi';
import { clusterTokenOf, clusterTokenSettings } from './cluster-token.ts';
import type { CommonConfig } from './common.ts';
import { type Environment, readSettings } from './reading.ts';
import { runnerSchema } from './runner.ts';

export interface WaitingConfig extends Pick<CommonConfig, 'logLevel' | 'dataDir' | 'healthFile'> {
  readonly listen: ListenAddress;
  readonly clusterToken: string;
  /** Null: what the cluster calls it. */
  readonly workerId: string | null;
}

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

const DEFAULT_LISTEN: ListenAddress = { host: '0.0.0.0', port: 50_052 };

/** Its own settings are checked now, not when it has been adopted. */
const waitingSchema = {
  ...runnerSchema,
  RUNNER_LISTEN: Joi.string().custom(readListen).default(DEFAULT_LISTEN).messages({
    'listen.form': 'must be "<host>:<port>", for example "0.0.0.0:50052"',
  }),
  ...clusterTokenSettings,
};

export function loadWaitingConfig(env: Environment): WaitingConfig {
  const needed = waitingSchema.CLUSTER_TOKEN.required().messages({
    'any.required':
      'is required to wait for a cluster (or CLUSTER_TOKEN_FILE): the token of that cluster, which "npm start" keeps in data/cluster-token',
  });
  const v = readSettings({ ...waitingSchema, CLUSTER_TOKEN: needed }, env);
  return {
    logLevel: v.LOG_LEVEL,
    dataDir: resolve(v.DATA_DIR),
    healthFile: v.HEALTH_FILE === undefined ? null : resolve(v.HEALTH_FILE),
    listen: v.RUNNER_LISTEN,
    clusterToken: clusterTokenOf(v) ?? '',
    workerId: v.WORKER_ID ?? null,
  };
}

function readListen(text: string, { error }: Joi.CustomHelpers): ListenAddress | Joi.ErrorReport {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain ?? '';
  const isHost = bracketed === undefined ? !Joi.string().hostname().validate(host).error : isIPv6(host);
  return isHost && Number(port) <= 65_535 ? { host, port: Number(port) } : error('listen.form');
}
