// Settings of the scheduler process, each with its default and its check.

import Joi from 'joi';
import { type PlanRules, POLICIES } from '../../model/scheduling.ts';
import {
  BYTES_PER_MB,
  type CommonConfig,
  commonConfig,
  commonSettings,
  DEFAULT_RUN_SECONDS,
  WORKER_LEASE_SECONDS,
} from './common.ts';
import { METRICS_HOST, METRICS_PORT, type MetricsDoorConfig, metricsDoorConfig } from './metrics.ts';
import { type Environment, readSettings } from './reading.ts';

export interface SchedulerConfig extends CommonConfig {
  readonly metrics: MetricsDoorConfig;
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

const schedulerSchema = {
  ...commonSettings,
  METRICS_HOST,
  SCHEDULER_METRICS_PORT: METRICS_PORT,
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

export function loadSchedulerConfig(env: Environment): SchedulerConfig {
  const v = readSettings(schedulerSchema, env);
  return {
    ...commonConfig(v),
    metrics: metricsDoorConfig(v.METRICS_HOST, v.SCHEDULER_METRICS_PORT),
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
