// Hides the values of a task's secrets in its output and in messages about it. Must never show part of one.

import type { TaskSpec } from '../../shared/model/task.ts';

export const MASK = '********';

/** Shorter values are not masked: hiding every `1` or `no` would spoil the output and tell the value. */
export const SHORTEST_SECRET = 4;

export interface SecretMask {
  /** What is looked for, longest first. A value of several lines counts line by line. */
  readonly values: readonly string[];
  apply(text: string): string;
}

export function createSecretMask(spec: Pick<TaskSpec, 'env' | 'secrets'>): SecretMask {
  const found = new Set<string>();
  for (const name of spec.secrets) {
    for (const part of (spec.env[name] ?? '').split(/\r?\n/)) {
      if (part.trim().length >= SHORTEST_SECRET) found.add(part);
    }
  }
  // The longest first, so that a secret that contains another leaves no rest.
  const values = [...found].sort((a, b) => b.length - a.length);
  if (values.length === 0) return { values, apply: (text) => text };
  return {
    values,
    apply: (text) => {
      let masked = text;
      // `includes` is several times cheaper than `replaceAll` where there is nothing to replace.
      for (const value of values) if (masked.includes(value)) masked = masked.replaceAll(value, MASK);
      return masked;
    },
  };
}
