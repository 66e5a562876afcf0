// Tasks that an older release wrote lack fields that came later; here they get what an absent one means. Pure.

import { NO_TERMS } from './labels.ts';
import type { Attempt, TaskSpec } from './task.ts';

type Older<T, Added extends keyof T> = Omit<T, Added> & Partial<Pick<T, Added>>;

export type OlderSpec = Older<TaskSpec, 'webhook' | 'constraints' | 'prefer'>;
export type OlderAttempt = Older<Attempt, 'eviction' | 'usage' | 'usageSeries' | 'progress' | 'outputs'>;

export function completeSpec(spec: OlderSpec): TaskSpec {
  const { webhook, constraints, prefer } = spec;
  return {
    ...spec,
    webhook: webhook ?? null,
    constraints: constraints ?? NO_TERMS,
    prefer: prefer ?? NO_TERMS,
  };
}

export function completeAttempts(attempts: readonly OlderAttempt[]): Attempt[] {
  return attempts.map((attempt) => ({
    ...attempt,
    eviction: attempt.eviction ?? null,
    usage: attempt.usage ?? null,
    usageSeries: attempt.usageSeries ?? null,
    progress: attempt.progress ?? null,
    outputs: attempt.outputs ?? null,
  }));
}
