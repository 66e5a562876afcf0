// Settings of the runner process, each with its default and its check.

import { cpus, hostname } from 'node:os';
import Joi from 'joi';
import type { MountRule } from '../../model/mounts.ts';
import { WORKER_ID_PATTERN } from '../../model/worker.ts';
import { SHUTDOWN_MODES, type ShutdownConfig, shutdownConfig } from '../shutdown.ts';
import {
  BYTES_PER_MB,
  type CommonConfig,
  commonConfig,
  commonSettings,
  WORKER_LEASE_SECONDS,
} from './common.ts';
import { type ContainerPolicy, containerPolicy, containerSettings } from './containers.ts';
import { METRICS_HOST, METRICS_PORT, type MetricsDoorConfig, metricsDoorConfig } from './metrics.ts';
import { mountRules, mountSettings } from './mounts.ts';
import { type Environment, readSettings, splitList } from './reading.ts';
import { type TaskNetworkConfig, taskNetworkConfig, taskNetworkSettings } from './task-network.ts';

export interface RunnerConfig extends CommonConfig {
  readonly metrics: MetricsDoorConfig;
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
  readonly containers: ContainerPolicy;
  /** Folders of this machine that tasks may mount. */
  readonly mounts: readonly MountRule[];
  /** What tasks may reach. */
  readonly taskNetwork: TaskNetworkConfig;
  /** Text of one attempt that is kept, a line counted with 64 bytes more than it has. */
  readonly logMaxBytes: number;
  /** Files of one attempt that are kept, together. */
  readonly outputMaxBytes: number;
  readonly outputMaxFiles: number;
  /** Between two measurements of a running container; 0 switches them off. */
  readonly usageSampleMs: number;
}

export const runnerSchema = {
  ...commonSettings,
  METRICS_HOST,
  RUNNER_METRICS_PORT: METRICS_PORT,
  ...taskNetworkSettings,
  ...containerSettings,
  ...mountSettings,
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

export function loadRunnerConfig(env: Environment): RunnerConfig {
  const v = readSettings(runnerSchema, env);
  const host = hostname();
  const common = commonConfig(v);
  return {
    ...common,
    metrics: metricsDoorConfig(v.METRICS_HOST, v.RUNNER_METRICS_PORT),
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
    containers: containerPolicy(v),
    mounts: mountRules(v),
    taskNetwork: taskNetworkConfig(v, common),
    logMaxBytes: v.LOG_MAX_MB * BYTES_PER_MB,
    outputMaxBytes: v.OUTPUT_MAX_MB * BYTES_PER_MB,
    outputMaxFiles: v.OUTPUT_MAX_FILES,
    usageSampleMs: v.USAGE_SAMPLE_SECONDS * 1_000,
  };
}

function splitPair(pair: string): [string, string] {
  const at = pair.indexOf('=');
  return [pair.slice(0, at), pair.slice(at + 1)];
}
