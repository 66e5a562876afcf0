// Settings of the API process, each with its default and its check.

import { resolve } from 'node:path';
import Joi from 'joi';
import { DEFAULT_MAX_LOSSES } from '../../model/retry.ts';
import type { TlsFiles } from '../tls-files.ts';
import { clusterTokenOf, clusterTokenSettings } from './cluster-token.ts';
import {
  BYTES_PER_MB,
  type CommonConfig,
  commonConfig,
  commonSettings,
  DEFAULT_RUN_SECONDS,
  filesUrl,
  redisUrl,
  storeUrl,
  WORKER_LEASE_SECONDS,
} from './common.ts';
import { IMAGE_ALLOW } from './containers.ts';
import { grpcPort, grpcPortOf } from './grpc-port.ts';
import { trustedNetworks } from './networks.ts';
import { type Environment, readSettings, splitList, valueFile } from './reading.ts';
import { tlsConfig, tlsSettings } from './tls.ts';

export interface ApiConfig extends CommonConfig {
  readonly host: string;
  readonly port: number;
  /** Where gRPC listens; null: it does not. */
  readonly grpcPort: number | null;
  /** Null: no TLS. */
  readonly tls: TlsFiles | null;
  /** Web pages of these origins may use the API from a browser, besides its own. */
  readonly corsOrigins: readonly string[];
  /** Addresses and networks of proxies that are believed whom they speak for. */
  readonly trustedProxies: readonly string[];
  /** The first signs, all verify. */
  readonly jwtKeys: readonly string[];
  readonly tokenTtlSeconds: number;
  readonly registration: 'open' | 'closed';
  readonly observeAuth: 'open' | 'required';
  /** Patterns with `*`; empty allows every image. */
  readonly imageAllow: readonly string[];
  readonly loginMaxFailures: number;
  readonly loginLockoutSeconds: number;
  /** Requests a second, averaged over a window; 0 for no limit. */
  readonly rateLimits: RateLimits;
  /** Requests of one user, or of one address without a sign-in, in progress in this process; 0 for no limit. */
  readonly requestsAtOnce: number;
  /** Directory of the built dashboard, served at `/`. */
  readonly webDir: string;
  /** Largest upload. */
  readonly fileMaxBytes: number;
  /** Hosts, addresses and networks (`10.0.0.0/8`) that webhooks may reach although they are loopback or link-local. */
  readonly webhookAllow: readonly string[];
  /** How long a task is taken to run whose image and tag have hardly been seen. */
  readonly defaultRunSeconds: number;
  /** Faults of workers after which a task that is submitted now is given up. */
  readonly maxLosses: number;
  /** Workers are registered by hand with it; null switches that off. */
  readonly clusterToken: string | null;
  /** Told to workers that are registered by hand. */
  readonly workerLeaseSeconds: number;
  /** Names by which such a worker reaches what this process reaches by others; null: the same. */
  readonly runnerStoreUrl: string | null;
  readonly runnerRedisUrl: string | null;
  readonly runnerFilesUrl: string | null;
  /** Tasks are kept so long after their end, with all that belongs to them; 0 keeps them for ever. */
  readonly retentionMs: number;
  /** Entries of the audit log are kept so long; 0 keeps them for ever. */
  readonly auditKeptMs: number;
}

export interface RateLimits {
  /** Of one user. */
  readonly reads: number;
  readonly writes: number;
  /** Of one address, without a sign-in. */
  readonly anonymous: number;
}

/** More are never needed at a time, and each may be tried for a token. */
const MAX_KEYS = 8;
const MIN_KEY_CHARS = 32;
/** Requests a second. */
const rate = Joi.number().integer().min(0).max(1_000_000);
const MS_PER_DAY = 86_400_000;
/** Half an hour at least: what is told of an end, and a runner's last words, come within that. */
const RETENTION_DAYS = Joi.number().min(0.02).max(36_500).allow(0).default(0).messages({
  'number.min': 'must be 0, which keeps tasks for ever, or at least 0.02',
});

const apiSchema = {
  ...commonSettings,
  ...tlsSettings,
  ...clusterTokenSettings,
  WORKER_LEASE_SECONDS,
  RUNNER_STORE_URL: storeUrl
    .custom(isSameKind)
    .messages({ 'store.other': 'must name the same store as STORE_URL, only by another address' }),
  RUNNER_REDIS_URL: redisUrl,
  RUNNER_FILES_URL: filesUrl,
  HOST: Joi.string().hostname().default('0.0.0.0'),
  PORT: Joi.number().port().default(8080),
  GRPC_PORT: grpcPort,
  CORS_ORIGINS: Joi.string().custom(checkOrigins).allow('').default('').messages({
    'origins.form':
      'must be origins, separated by commas, such as "https://app.example.com,http://localhost:3000"; "{{#entry}}" is none',
  }),
  TRUSTED_PROXIES: trustedNetworks,
  JWT_SECRET: Joi.string()
    .custom((text: string, helpers) => {
      const keys = splitList(text);
      if (keys.length === 0 || keys.some((key) => key.length < MIN_KEY_CHARS))
        return helpers.error('key.short');
      return keys.length > MAX_KEYS ? helpers.error('key.many') : text;
    })
    .required()
    .messages({
      'any.required':
        'is required (or JWT_SECRET_FILE): at least 32 random characters, for example from "openssl rand -hex 32"',
      'key.short':
        'must be at least 32 characters, for example from "openssl rand -hex 32"; of several keys, separated by commas, each',
      'key.many': `must name at most ${MAX_KEYS} keys`,
    }),
  JWT_SECRET_FILE: valueFile,
  TOKEN_TTL_HOURS: Joi.number().min(0.01).max(8_760).default(24),
  REGISTRATION: Joi.string().valid('open', 'closed').default('open'),
  OBSERVE_AUTH: Joi.string().valid('open', 'required').default('open'),
  IMAGE_ALLOW,
  LOGIN_MAX_FAILURES: Joi.number().integer().min(1).max(1_000).default(5),
  LOGIN_LOCKOUT_SECONDS: Joi.number().integer().min(1).max(86_400).default(300),
  RATE_LIMIT_READS: rate.default(500),
  RATE_LIMIT_WRITES: rate.default(200),
  RATE_LIMIT_ANONYMOUS: rate.default(100),
  REQUESTS_AT_ONCE: Joi.number().integer().min(0).max(10_000).default(16),
  WEB_DIR: Joi.string().default('dist/web'),
  FILE_MAX_MB: Joi.number().integer().min(1).max(1_048_576).default(5_120),
  WEBHOOK_ALLOW: Joi.string().allow('').default(''),
  DEFAULT_RUN_SECONDS,
  MAX_PLATFORM_RETRIES: Joi.number().integer().min(0).max(1_000).default(DEFAULT_MAX_LOSSES),
  RETENTION_DAYS,
  AUDIT_RETENTION_DAYS: Joi.number().min(1).max(36_500).allow(0).default(90).messages({
    'number.min': 'must be 0, which keeps entries for ever, or at least 1',
  }),
};

export function loadApiConfig(env: Environment): ApiConfig {
  const v = readSettings(apiSchema, env);
  return {
    ...commonConfig(v),
    host: v.HOST,
    port: v.PORT,
    grpcPort: grpcPortOf(v),
    tls: tlsConfig(v),
    corsOrigins: splitList(v.CORS_ORIGINS),
    trustedProxies: splitList(v.TRUSTED_PROXIES),
    jwtKeys: splitList(v.JWT_SECRET),
    tokenTtlSeconds: Math.round(v.TOKEN_TTL_HOURS * 3_600),
    registration: v.REGISTRATION,
    observeAuth: v.OBSERVE_AUTH,
    imageAllow: splitList(v.IMAGE_ALLOW),
    loginMaxFailures: v.LOGIN_MAX_FAILURES,
    loginLockoutSeconds: v.LOGIN_LOCKOUT_SECONDS,
    rateLimits: {
      reads: v.RATE_LIMIT_READS,
      writes: v.RATE_LIMIT_WRITES,
      anonymous: v.RATE_LIMIT_ANONYMOUS,
    },
    requestsAtOnce: v.REQUESTS_AT_ONCE,
    webDir: resolve(v.WEB_DIR),
    fileMaxBytes: v.FILE_MAX_MB * BYTES_PER_MB,
    webhookAllow: splitList(v.WEBHOOK_ALLOW),
    defaultRunSeconds: v.DEFAULT_RUN_SECONDS,
    maxLosses: v.MAX_PLATFORM_RETRIES,
    clusterToken: clusterTokenOf(v),
    workerLeaseSeconds: v.WORKER_LEASE_SECONDS,
    runnerStoreUrl: v.RUNNER_STORE_URL ?? null,
    runnerRedisUrl: v.RUNNER_REDIS_URL ?? null,
    runnerFilesUrl: v.RUNNER_FILES_URL ?? null,
    retentionMs: v.RETENTION_DAYS * MS_PER_DAY,
    auditKeptMs: v.AUDIT_RETENTION_DAYS * MS_PER_DAY,
  };
}

/** As a browser spells them: no path, no `*`, which would let every page in. */
function checkOrigins(text: string, { error }: Joi.CustomHelpers): string | Joi.ErrorReport {
  const entry = splitList(text).find((one) => !URL.canParse(one) || new URL(one).origin !== one);
  return entry === undefined ? text : error('origins.form', { entry });
}

/** Another name of the same store, never another store. */
function isSameKind(url: string, { error, prefs }: Joi.CustomHelpers): string | Joi.ErrorReport {
  const own = String(prefs.context?.STORE_URL ?? 'sqlite:');
  return own.startsWith('mongodb') === url.startsWith('mongodb') ? url : error('store.other');
}
