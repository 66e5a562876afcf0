// Settings that several processes have, with their defaults and checks: where the record, Redis and the files are, and
// the numbers on which all must agree.

import { resolve } from 'node:path';
import Joi from 'joi';
import { type Environment, readSettings, type Values, valueFile } from './reading.ts';
import { type TracingConfig, tracingConfig, tracingSettings } from './tracing.ts';

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** What every process of a cluster is told alike. */
export interface CommonConfig {
  readonly logLevel: LogLevel;
  readonly dataDir: string;
  /** `sqlite:<path>` or `mongodb://…`. */
  readonly storeUrl: string;
  readonly redisUrl: string;
  /** First part of every key in Redis; clusters that share a Redis need different ones. */
  readonly redisPrefix: string;
  /** `file:<directory>` or `mongodb` (kept in the store's database). */
  readonly filesUrl: string;
  /** Renewed while this process is not hung; null: none. */
  readonly healthFile: string | null;
  readonly tracing: TracingConfig;
}

export const storeUrl = Joi.string()
  .pattern(/^(sqlite:.+|mongodb(\+srv)?:\/\/.+)$/)
  .messages({ 'string.pattern.base': 'must be "sqlite:<path>" or "mongodb://…"' });
export const redisUrl = Joi.string().uri({ scheme: ['redis', 'rediss', 'unix'] });
export const filesUrl = Joi.string()
  .pattern(/^(file:.+|mongodb)$/)
  .messages({ 'string.pattern.base': 'must be "file:<directory>" or "mongodb"' });

export const commonSettings = {
  LOG_LEVEL: Joi.string()
    .valid(...LOG_LEVELS)
    .default('info'),
  DATA_DIR: Joi.string().default('data'),
  STORE_URL: storeUrl,
  STORE_URL_FILE: valueFile,
  REDIS_URL: redisUrl.default('redis://127.0.0.1:6379'),
  REDIS_URL_FILE: valueFile,
  REDIS_PREFIX: Joi.string()
    .pattern(/^[A-Za-z0-9_{}-]{1,64}$/, 'letters, digits, _, - and {}')
    .default('cloudai'),
  FILES_URL: filesUrl,
  HEALTH_FILE: Joi.string(),
  ...tracingSettings,
};

export const BYTES_PER_MB = 2 ** 20;
export const WORKER_LEASE_SECONDS = Joi.number().integer().min(2).max(600).default(15);

export const DEFAULT_RUN_SECONDS = Joi.number().min(1).max(31_536_000).default(300);

export function commonConfig(v: Values): CommonConfig {
  const dataDir = resolve(v.DATA_DIR);
  const storeUrl: string = v.STORE_URL ?? `sqlite:${dataDir}/cloudai.db`;
  return {
    logLevel: v.LOG_LEVEL,
    dataDir,
    storeUrl,
    redisUrl: v.REDIS_URL,
    redisPrefix: v.REDIS_PREFIX,
    filesUrl: v.FILES_URL ?? (storeUrl.startsWith('mongodb') ? 'mongodb' : `file:${dataDir}/files`),
    healthFile: v.HEALTH_FILE === undefined ? null : resolve(v.HEALTH_FILE),
    tracing: tracingConfig(v),
  };
}

/** Of a process that only opens the record. @throws AppError `bad_config` */
export function loadCommonConfig(env: Environment): CommonConfig {
  return commonConfig(readSettings(commonSettings, env));
}
