// Tasks that an older release wrote lack fields that came later; here they get what an absent one means. Pure.

import { NO_TERMS } from './labels.ts';
import { DEFAULT_MAX_LOSSES, DEFAULT_RETRY_DELAY_SECONDS, DEFAULT_RETRY_ON } from './retry.ts';
import type { Attempt, TaskSpec } from './task.ts';

type Older<T, Added extends keyof T> = Omit<T, Added> & Partial<Pick<T, Added>>;

type RetryFields = 'retryOn' | 'retryOnExitCodes' | 'retryDelaySeconds' | 'queueTimeoutSeconds' | 'maxLosses';
export type OlderSpec = Older<TaskSpec, 'webhook' | 'constraints' | 'prefer' | 'mounts' | RetryFields>;
export type OlderAttempt = Older<
  Attempt,
  'notBefore' | 'eviction' | 'usage' | 'usageSeries' | 'progress' | 'outputs'
>;

export function completeSpec(spec: OlderSpec): TaskSpec {
  const { webhook, constraints, prefer } = spec;
  return {
    ...spec,
    retryOn: spec.retryOn ?? DEFAULT_RETRY_ON,
    retryOnExitCodes: spec.retryOnExitCodes ?? [],
    retryDelaySeconds: spec.retryDelaySeconds ?? DEFAULT_RETRY_DELAY_SECONDS,
    queueTimeoutSeconds: spec.queueTimeoutSeconds ?? 0,
    maxLosses: spec.maxLosses ?? DEFAULT_MAX_LOSSES,
    webhook: webhook ?? null,
    constraints: constraints ?? NO_TERMS,
    prefer: prefer ?? NO_TERMS,
    mounts: spec.mounts ?? [],
  };
}

export function completeAttempts(attempts: readonly OlderAttempt[]): Attempt[] {
  return attempts.map((attempt) => ({
    ...attempt,
    notBefore: attempt.notBefore ?? 0,
    eviction: attempt.eviction ?? null,
    usage: attempt.usage ?? null,
    usageSeries: attempt.usageSeries ?? null,
    progress: attempt.progress ?? null,
    outputs: attempt.outputs ?? null,
  }));
}
