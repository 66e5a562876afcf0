// Tasks that an older release wrote lack fields that came later; here they get what an absent one means. Pure.

import type { Attempt, TaskSpec } from './task.ts';

type Older<T, Added extends keyof T> = Omit<T, Added> & Partial<Pick<T, Added>>;

export type OlderSpec = Older<TaskSpec, 'webhook'>;
export type OlderAttempt = Older<Attempt, 'usage' | 'usageSeries' | 'progress' | 'outputs'>;

export function completeSpec(spec: OlderSpec): TaskSpec {
  return { ...spec, webhook: spec.webhook ?? null };
}

export function completeAttempts(attempts: readonly OlderAttempt[]): Attempt[] {
  return attempts.map((attempt) => ({
    ...attempt,
    usage: attempt.usage ?? null,
    usageSeries: attempt.usageSeries ?? null,
    progress: attempt.progress ?? null,
    outputs: attempt.outputs ?? null,
  }));
}
