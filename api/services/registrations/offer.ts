// What a runner that is taken in gets told of this cluster, and why a runner elsewhere could not work with it. Pure but
// for making paths absolute; never puts a setting's secret into words.

import { resolve } from 'node:path';
import type { ClusterSettings } from '../../../shared/contracts/adoption.ts';
import { AppError, type ErrorDetail } from '../../../shared/errors.ts';
import { addressText, isLoopbackHost, type WorkerAddress } from '../../../shared/model/worker-address.ts';
import type { ApiConfig } from '../../../shared/platform/config/api.ts';

export type OfferConfig = Pick<
  ApiConfig,
  | 'storeUrl'
  | 'redisUrl'
  | 'redisPrefix'
  | 'filesUrl'
  | 'workerLeaseSeconds'
  | 'clusterToken'
  | 'runnerStoreUrl'
  | 'runnerRedisUrl'
  | 'runnerFilesUrl'
>;

/** Paths are absolute: the runner is started in another folder. */
export function settingsFor(config: OfferConfig, id: string, { host }: WorkerAddress): ClusterSettings {
  return {
    STORE_URL: (config.runnerStoreUrl ?? config.storeUrl).replace(/^sqlite:(.+)$/, absolute('sqlite:')),
    REDIS_URL: config.runnerRedisUrl ?? config.redisUrl,
    REDIS_PREFIX: config.redisPrefix,
    FILES_URL: (config.runnerFilesUrl ?? config.filesUrl).replace(/^file:(?:\/\/)?(.+)$/, absolute('file:')),
    WORKER_LEASE_SECONDS: config.workerLeaseSeconds,
    WORKER_ID: id,
    WORKER_ADDRESS: host,
  };
}

function absolute(scheme: string): (whole: string, path: string) => string {
  return (_, path) => `${scheme}${resolve(path)}`;
}

/** @throws AppError `conflict` when this cluster, as it is set up, cannot take in a runner at this address */
export function requireOffer(config: OfferConfig, address: WorkerAddress): void {
  if (config.clusterToken === null) {
    throw new AppError(
      'conflict',
      'this cluster has no CLUSTER_TOKEN, by which it and its workers know each other: set CLUSTER_TOKEN or ' +
        'CLUSTER_TOKEN_FILE to the same text of 32 characters or more ("openssl rand -hex 32") for every API and ' +
        'for the runner, and restart them',
    );
  }
  if (isLoopbackHost(address.host)) return;
  const details = [storeFault(config), redisFault(config), filesFault(config)].filter(
    (fault) => fault !== null,
  );
  if (details.length === 0) return;
  throw new AppError(
    'conflict',
    `a runner at ${addressText(address)} could not work in this cluster: ${details.map(({ message }) => message).join('; ')}`,
    { details },
  );
}

function storeFault({ runnerStoreUrl, storeUrl }: OfferConfig): ErrorDetail | null {
  const url = runnerStoreUrl ?? storeUrl;
  if (url.startsWith('sqlite:')) {
    return {
      field: 'STORE_URL',
      message: 'the store is a file of this machine: move it to a MongoDB with STORE_URL=mongodb://…',
    };
  }
  const hosts = /^mongodb:\/\/(?:[^/@]*@)?([^/?]*)/.exec(url)?.[1]?.split(',') ?? [];
  if (hosts.length === 0 || !hosts.every((host) => isLoopbackHost(host.replace(/:\d+$/, '')))) return null;
  return {
    field: 'RUNNER_STORE_URL',
    message: `the store is at ${hosts.join(',')}, which leads other machines to themselves: set RUNNER_STORE_URL=mongodb://… with the name they know it by`,
  };
}

function redisFault({ runnerRedisUrl, redisUrl }: OfferConfig): ErrorDetail | null {
  const url = new URL(runnerRedisUrl ?? redisUrl);
  const isLocal = url.protocol === 'unix:' || isLoopbackHost(url.hostname);
  if (!isLocal) return null;
  const where = url.protocol === 'unix:' ? 'behind a socket of this machine' : `at ${url.host}`;
  return {
    field: 'RUNNER_REDIS_URL',
    message: `Redis is ${where}, which leads other machines to themselves: set RUNNER_REDIS_URL=redis://… with the name they know it by`,
  };
}

function filesFault({ runnerFilesUrl, filesUrl }: OfferConfig): ErrorDetail | null {
  // Who sets it knows that the folder is shared.
  if (runnerFilesUrl !== null || filesUrl === 'mongodb') return null;
  return {
    field: 'RUNNER_FILES_URL',
    message:
      'output and files are kept in a folder of this machine: keep them in MongoDB with FILES_URL=mongodb, or set ' +
      'RUNNER_FILES_URL=file:… to where the other machines find the same folder',
  };
}
