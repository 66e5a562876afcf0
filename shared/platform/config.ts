// Every setting, its default and its check. A process reads its settings once, at start, through one of the
// `load…Config` functions; all faults are reported at once. No other file reads the environment for settings.

import { readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { cpus, hostname } from 'node:os';
import { resolve } from 'node:path';
import Joi from 'joi';
import { AppError, messageOf } from '../errors.ts';
import { DEFAULT_MAX_LOSSES } from '../model/retry.ts';
import { type PlanRules, POLICIES } from '../model/scheduling.ts';
import { WORKER_ID_PATTERN } from '../model/worker.ts';
import { CLUSTER_TOKEN_MIN_LENGTH } from './adoption-proof.ts';
import { SHUTDOWN_MODES, type ShutdownConfig, shutdownConfig } from './shutdown.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

interface CommonConfig {
  readonly logLevel: LogLevel;
  readonly dataDir: string;
  /** `sqlite:<path>` or `mongodb://…`. */
  readonly storeUrl: string;
  readonly redisUrl: string;
  /** First part of every key in Redis; clusters that share a Redis need different ones. */
  readonly redisPrefix: string;
  /** `file:<directory>` or `mongodb` (kept in the store's database). */
  readonly filesUrl: string;
}

export interface ApiConfig extends CommonConfig {
  readonly host: string;
  readonly port: number;
  readonly jwtSecret: string;
  readonly tokenTtlSeconds: number;
  readonly registration: 'open' | 'closed';
  readonly observeAuth: 'open' | 'required';
  /** Patterns with `*`; empty allows every image. */
  readonly imageAllow: readonly string[];
  readonly loginMaxFailures: number;
  readonly loginLockoutSeconds: number;
  /** Requests a second, averaged over a window; 0 for no limit. */
  readonly rateLimits: RateLimits;
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
}

export interface RateLimits {
  /** Of one user. */
  readonly reads: number;
  readonly writes: number;
  /** Of one address, without a sign-in. */
  readonly anonymous: number;
}

export interface SchedulerConfig extends CommonConfig {
  readonly workerLeaseSeconds: number;
  readonly leaderLeaseSeconds: number;
  readonly reconcileSeconds: number;
  /** What an unhealthy worker cannot start goes back to the queue after so long. */
  readonly unhealthyGraceSeconds: number;
  readonly rules: PlanRules;
  /** How long a task is taken to run whose image and tag have hardly been seen. */
  readonly defaultRunSeconds: number;
  /** Size of the ring of decisions kept for `replay`; 0 keeps none. */
  readonly decisionLogBytes: number;
}

export interface RunnerConfig extends CommonConfig {
  readonly workerId: string;
  readonly address: string;
  readonly runtime: 'docker' | 'process' | 'scripted';
  /** Empty: the engine's own default. */
  readonly dockerHost: string;
  readonly workerLeaseSeconds: number;
  /** What tasks may use; null takes it from the machine. */
  readonly cpus: number | null;
  readonly memoryMb: number | null;
  readonly storageMb: number | null;
  /** A number of simulated GPUs; null looks for real ones. */
  readonly gpus: number | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly shutdown: ShutdownConfig;
  /** Between SIGTERM and SIGKILL. */
  readonly stopGraceSeconds: number;
  readonly pidsLimit: number;
  /** Room on the disks of the engine and of the data folder below which the worker takes nothing new; 0: none. */
  readonly diskReserveMb: number;
  /** A pull on which nothing comes for so long is given up. */
  readonly pullStallSeconds: number;
  /** Warm network namespaces kept ready for tasks; 0 switches them off. */
  readonly networkSlots: number;
  /** Text of one attempt that is kept, a line counted with 64 bytes more than it has. */
  readonly logMaxBytes: number;
  /** Files of one attempt that are kept, together. */
  readonly outputMaxBytes: number;
  readonly outputMaxFiles: number;
  /** Between two measurements of a running container; 0 switches them off. */
  readonly usageSampleMs: number;
}

export interface WaitingConfig extends Pick<CommonConfig, 'logLevel' | 'dataDir'> {
  readonly listen: ListenAddress;
  readonly clusterToken: string;
  /** Null: what the cluster calls it. */
  readonly workerId: string | null;
}

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

const storeUrl = Joi.string()
  .pattern(/^(sqlite:.+|mongodb(\+srv)?:\/\/.+)$/)
  .messages({ 'string.pattern.base': 'must be "sqlite:<path>" or "mongodb://…"' });
const redisUrl = Joi.string().uri({ scheme: ['redis', 'rediss', 'unix'] });
const filesUrl = Joi.string()
  .pattern(/^(file:.+|mongodb)$/)
  .messages({ 'string.pattern.base': 'must be "file:<directory>" or "mongodb"' });

const common = {
  LOG_LEVEL: Joi.string()
    .valid(...LOG_LEVELS)
    .default('info'),
  DATA_DIR: Joi.string().default('data'),
  STORE_URL: storeUrl,
  REDIS_URL: redisUrl.default('redis://127.0.0.1:6379'),
  REDIS_PREFIX: Joi.string()
    .pattern(/^[A-Za-z0-9_{}-]{1,64}$/, 'letters, digits, _, - and {}')
    .default('cloudai'),
  FILES_URL: filesUrl,
};

const DEFAULT_LISTEN: ListenAddress = { host: '0.0.0.0', port: 50_052 };

const TOKEN_TOO_SHORT = `must be at least ${CLUSTER_TOKEN_MIN_LENGTH} characters, for example from "openssl rand -hex 32"`;

/** The secret a cluster and its machines share, itself or in a file. `clusterTokenOf` takes it from the values. */
const clusterToken = {
  CLUSTER_TOKEN: Joi.string().min(CLUSTER_TOKEN_MIN_LENGTH).messages({ 'string.min': TOKEN_TOO_SHORT }),
  CLUSTER_TOKEN_FILE: Joi.string()
    .custom(readToken)
    .messages({
      'token.twice': 'cannot be set beside CLUSTER_TOKEN: set one of them',
      'token.unreadable': 'cannot be read: {#reason}',
      'token.short': `names a file whose text ${TOKEN_TOO_SHORT}`,
    }),
};

const BYTES_PER_MB = 2 ** 20;
const WORKER_LEASE_SECONDS = Joi.number().integer().min(2).max(600).default(15);

/** Requests a second. */
const rate = Joi.number().integer().min(0).max(1_000_000);
const MS_PER_DAY = 86_400_000;
/** Half an hour at least: what is told of an end, and a runner's last words, come within that. */
const RETENTION_DAYS = Joi.number().min(0.02).max(36_500).allow(0).default(0).messages({
  'number.min': 'must be 0, which keeps tasks for ever, or at least 0.02',
});

const DEFAULT_RUN_SECONDS = Joi.number().min(1).max(31_536_000).default(300);

const apiSchema = {
  ...common,
  ...clusterToken,
  WORKER_LEASE_SECONDS,
  RUNNER_STORE_URL: storeUrl
    .custom(isSameKind)
    .messages({ 'store.other': 'must name the same store as STORE_URL, only by another address' }),
  RUNNER_REDIS_URL: redisUrl,
  RUNNER_FILES_URL: filesUrl,
  HOST: Joi.string().hostname().default('0.0.0.0'),
  PORT: Joi.number().port().default(8080),
  JWT_SECRET: Joi.string().min(32).required().messages({
    'any.required': 'is required: at least 32 random characters, for example from "openssl rand -hex 32"',
    'string.min': 'must be at least 32 characters, for example from "openssl rand -hex 32"',
  }),
  TOKEN_TTL_HOURS: Joi.number().min(0.01).max(8_760).default(24),
  REGISTRATION: Joi.string().valid('open', 'closed').default('open'),
  OBSERVE_AUTH: Joi.string().valid('open', 'required').default('open'),
  IMAGE_ALLOW: Joi.string().allow('').default(''),
  LOGIN_MAX_FAILURES: Joi.number().integer().min(1).max(1_000).default(5),
  LOGIN_LOCKOUT_SECONDS: Joi.number().integer().min(1).max(86_400).default(300),
  RATE_LIMIT_READS: rate.default(500),
  RATE_LIMIT_WRITES: rate.default(200),
  RATE_LIMIT_ANONYMOUS: rate.default(100),
  WEB_DIR: Joi.string().default('dist/web'),
  FILE_MAX_MB: Joi.number().integer().min(1).max(1_048_576).default(5_120),
  WEBHOOK_ALLOW: Joi.string().allow('').default(''),
  DEFAULT_RUN_SECONDS,
  MAX_PLATFORM_RETRIES: Joi.number().integer().min(0).max(1_000).default(DEFAULT_MAX_LOSSES),
  RETENTION_DAYS,
};

const schedulerSchema = {
  ...common,
  WORKER_LEASE_SECONDS,
  LEADER_LEASE_SECONDS: Joi.number().integer().min(2).max(600).default(5),
  UNHEALTHY_GRACE_SECONDS: Joi.number().min(0).max(86_400).default(30),
  RECONCILE_SECONDS: Joi.number().integer().min(1).max(600).default(5),
  SCHEDULING_POLICY: Joi.string()
    .valid(...POLICIES)
    .default('round-robin'),
  AGEING_SECONDS: Joi.number().min(1).max(31_536_000).default(600),
  RESERVE_AFTER_SECONDS: Joi.number().min(1).max(31_536_000).default(60),
  PREEMPTION: Joi.string().valid('off', 'priority').default('off'),
  DEFAULT_RUN_SECONDS,
  DECISION_LOG_MB: Joi.number().min(0).max(1_024).default(16),
};

const runnerSchema = {
  ...common,
  WORKER_LEASE_SECONDS,
  WORKER_ID: Joi.string().pattern(WORKER_ID_PATTERN, 'letters, digits, ".", "_" and "-"'),
  WORKER_ADDRESS: Joi.string().hostname(),
  RUNTIME: Joi.string().valid('docker', 'process', 'scripted').default('docker'),
  DOCKER_HOST: Joi.string()
    .pattern(/^(unix|tcp|http|https|ssh):\/\/.+$/)
    .allow('')
    .default('')
    .messages({ 'string.pattern.base': 'must begin with unix://, tcp://, http://, https:// or ssh://' }),
  WORKER_CPUS: Joi.number().min(0.01).max(4_096),
  WORKER_MEMORY_MB: Joi.number().integer().min(6),
  WORKER_STORAGE_MB: Joi.number().integer().min(0),
  WORKER_GPUS: Joi.number().integer().min(0).max(1_024),
  WORKER_LABELS: Joi.string()
    .pattern(/^[A-Za-z0-9._-]+=[A-Za-z0-9._-]*(,[A-Za-z0-9._-]+=[A-Za-z0-9._-]*)*$/)
    .allow('')
    .default('')
    .messages({ 'string.pattern.base': 'must look like "disk=ssd,zone=a"' }),
  STOP_GRACE_SECONDS: Joi.number().min(0).max(3_600).default(10),
  SHUTDOWN: Joi.string()
    .valid(...SHUTDOWN_MODES)
    .default('leave'),
  SHUTDOWN_DEADLINE_SECONDS: Joi.number().min(1).max(604_800).default(300),
  PIDS_LIMIT: Joi.number().integer().min(1).max(4_194_304).default(1_024),
  DISK_RESERVE_MB: Joi.number().integer().min(0).max(1_048_576).default(256),
  PULL_STALL_SECONDS: Joi.number().integer().min(5).max(86_400).default(300),
  NETWORK_SLOTS: Joi.number().integer().min(0).max(256).default(8),
  LOG_MAX_MB: Joi.number().integer().min(1).max(1_048_576).default(1_024),
  OUTPUT_MAX_MB: Joi.number().integer().min(0).max(16_777_216).default(10_240),
  OUTPUT_MAX_FILES: Joi.number().integer().min(0).max(1_000_000).default(20_000),
  USAGE_SAMPLE_SECONDS: Joi.number().min(0).max(3_600).default(2),
};

/** Of a runner that has no cluster yet. Its own settings are checked now, not when it has been adopted. */
const waitingSchema = {
  ...runnerSchema,
  RUNNER_LISTEN: Joi.string().custom(readListen).default(DEFAULT_LISTEN).messages({
    'listen.form': 'must be "<host>:<port>", for example "0.0.0.0:50052"',
  }),
  ...clusterToken,
};

export function loadApiConfig(env: Environment): ApiConfig {
  const v = read(apiSchema, env);
  return {
    ...commonConfig(v),
    host: v.HOST,
    port: v.PORT,
    jwtSecret: v.JWT_SECRET,
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
  };
}

export function loadSchedulerConfig(env: Environment): SchedulerConfig {
  const v = read(schedulerSchema, env);
  return {
    ...commonConfig(v),
    workerLeaseSeconds: v.WORKER_LEASE_SECONDS,
    leaderLeaseSeconds: v.LEADER_LEASE_SECONDS,
    reconcileSeconds: v.RECONCILE_SECONDS,
    unhealthyGraceSeconds: v.UNHEALTHY_GRACE_SECONDS,
    rules: {
      policy: v.SCHEDULING_POLICY,
      ageingMs: v.AGEING_SECONDS * 1_000,
      reserveAfterMs: v.RESERVE_AFTER_SECONDS * 1_000,
      preemption: v.PREEMPTION === 'priority',
    },
    defaultRunSeconds: v.DEFAULT_RUN_SECONDS,
    decisionLogBytes: v.DECISION_LOG_MB * BYTES_PER_MB,
  };
}

export function loadRunnerConfig(env: Environment): RunnerConfig {
  const v = read(runnerSchema, env);
  const host = hostname();
  return {
    ...commonConfig(v),
    workerId: v.WORKER_ID ?? `worker-${host.toLowerCase().replace(/[^a-z0-9._-]/g, '-')}`.slice(0, 63),
    address: v.WORKER_ADDRESS ?? host,
    runtime: v.RUNTIME,
    dockerHost: v.DOCKER_HOST,
    workerLeaseSeconds: v.WORKER_LEASE_SECONDS,
    cpus: v.WORKER_CPUS ?? (v.RUNTIME === 'scripted' ? cpus().length : null),
    memoryMb: v.WORKER_MEMORY_MB ?? null,
    storageMb: v.WORKER_STORAGE_MB ?? null,
    gpus: v.WORKER_GPUS ?? null,
    labels: Object.fromEntries(splitList(v.WORKER_LABELS).map((pair) => splitPair(pair))),
    shutdown: shutdownConfig(v.SHUTDOWN, v.SHUTDOWN_DEADLINE_SECONDS, v.STOP_GRACE_SECONDS),
    stopGraceSeconds: v.STOP_GRACE_SECONDS,
    pidsLimit: v.PIDS_LIMIT,
    diskReserveMb: v.DISK_RESERVE_MB,
    pullStallSeconds: v.PULL_STALL_SECONDS,
    networkSlots: v.NETWORK_SLOTS,
    logMaxBytes: v.LOG_MAX_MB * BYTES_PER_MB,
    outputMaxBytes: v.OUTPUT_MAX_MB * BYTES_PER_MB,
    outputMaxFiles: v.OUTPUT_MAX_FILES,
    usageSampleMs: v.USAGE_SAMPLE_SECONDS * 1_000,
  };
}

/** Settings of a runner that waits to be adopted. What the cluster decides is not among them. */
export function loadWaitingConfig(env: Environment): WaitingConfig {
  const needed = waitingSchema.CLUSTER_TOKEN.required().messages({
    'any.required':
      'is required to wait for a cluster (or CLUSTER_TOKEN_FILE): the token of that cluster, which "npm start" keeps in data/cluster-token',
  });
  const CLUSTER_TOKEN = env.CLUSTER_TOKEN_FILE ? waitingSchema.CLUSTER_TOKEN : needed;
  const v = read({ ...waitingSchema, CLUSTER_TOKEN }, env);
  return {
    logLevel: v.LOG_LEVEL,
    dataDir: resolve(v.DATA_DIR),
    listen: v.RUNNER_LISTEN,
    clusterToken: clusterTokenOf(v) ?? '',
    workerId: v.WORKER_ID ?? null,
  };
}

// Joi does not carry the types of single keys; each field of the config types above is checked by its schema.
// biome-ignore lint/suspicious/noExplicitAny: see above.
type Values = Record<string, any>;

function commonConfig(v: Values): CommonConfig {
  const dataDir = resolve(v.DATA_DIR);
  const storeUrl: string = v.STORE_URL ?? `sqlite:${dataDir}/cloudai.db`;
  return {
    logLevel: v.LOG_LEVEL,
    dataDir,
    storeUrl,
    redisUrl: v.REDIS_URL,
    redisPrefix: v.REDIS_PREFIX,
    filesUrl: v.FILES_URL ?? (storeUrl.startsWith('mongodb') ? 'mongodb' : `file:${dataDir}/files`),
  };
}

function clusterTokenOf(v: Values): string | null {
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

/** Another name of the same store, never another store. */
function isSameKind(url: string, { error, prefs }: Joi.CustomHelpers): string | Joi.ErrorReport {
  const own = String(prefs.context?.STORE_URL ?? 'sqlite:');
  return own.startsWith('mongodb') === url.startsWith('mongodb') ? url : error('store.other');
}

function readListen(text: string, { error }: Joi.CustomHelpers): ListenAddress | Joi.ErrorReport {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain ?? '';
  const isHost = bracketed === undefined ? !Joi.string().hostname().validate(host).error : isIPv6(host);
  return isHost && Number(port) <= 65_535 ? { host, port: Number(port) } : error('listen.form');
}

function read(keys: Record<string, Joi.Schema>, env: Environment): Values {
  const known = Object.fromEntries(
    Object.keys(keys).map((name) => [name, env[name] === '' ? undefined : env[name]]),
  );
  const { error, value } = Joi.object(keys).validate(known, {
    abortEarly: false,
    // For settings that depend on each other.
    context: known,
    errors: { label: false },
  });
  if (!error) return value;
  const details = error.details.map((fault) => ({ field: fault.path.join('.'), message: fault.message }));
  throw new AppError(
    'bad_config',
    `wrong settings:\n${details.map(({ field, message }) => `  ${field} ${message}`).join('\n')}`,
    { details },
  );
}

function splitList(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function splitPair(pair: string): [string, string] {
  const at = pair.indexOf('=');
  return [pair.slice(0, at), pair.slice(at + 1)];
}
