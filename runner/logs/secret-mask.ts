// Hides the values of a task's secrets in its output and in messages about it. Must never show part of one.

import type { TaskSpec } from '../../shared/model/task.ts';

export const MASK = '********';

/** Shorter values are not masked: hiding every `1` or `no` would spoil the output and tell the value. */
const SHORTEST_SECRET = 4;

export interface SecretMask {
  /** What is looked for, longest first. A value of several lines counts line by line. */
  readonly values: readonly string[];
  apply(text: string): string;
}

interface Span {
  readonly from: number;
  to: number;
}

export function createSecretMask(spec: Pick<TaskSpec, 'env' | 'secrets'>): SecretMask {
  const found = new Set<string>();
  for (const name of spec.secrets) {
    // Where output is cut into lines, and where a terminal begins a line anew.
    for (const part of (spec.env[name] ?? '').split(/[\r\n]+/)) {
      if (part.trim().length >= SHORTEST_SECRET) found.add(part);
    }
  }
  const values = [...found].sort((a, b) => b.length - a.length);
  if (values.length === 0) return { values, apply: (text) => text };
  return {
    values,
    apply: (text) => {
      const spans = values.flatMap((value) => spansOf(text, value));
      return spans.length === 0 ? text : cover(text, spans);
    },
  };
}

/** Where the value stands in the text; occurrences that overlap make one span. */
function spansOf(text: string, value: string): Span[] {
  const spans: Span[] = [];
  for (let at = text.indexOf(value); at !== -1; ) {
    const span = { from: at, to: at + value.length };
    for (;;) {
      // The last one that begins inside, so that a text of nothing but overlaps takes few looks.
      const last = text.lastIndexOf(value, span.to - 1);
      if (last <= at) break;
      at = last;
      span.to = last + value.length;
    }
    spans.push(span);
    at = text.indexOf(value, span.to);
  }
  return spans;
}

/** Of values that overlap in the text nothing may be left, so they are hidden as one. */
function cover(text: string, spans: Span[]): string {
  spans.sort((a, b) => a.from - b.from);
  let masked = '';
  let shownTo = 0;
  for (const { from, to } of spans) {
    if (from >= shownTo) masked += text.slice(shownTo, from) + MASK;
    shownTo = Math.max(shownTo, to);
  }
  return masked + text.slice(shownTo);
}
