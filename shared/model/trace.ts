// How a task goes by in traces, and what a trace context of W3C looks like. Pure.

import type { Task } from './task.ts';

/** Version 00 of https://www.w3.org/TR/trace-context/; ids of zeros are none. */
const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

export function isTraceparent(text: unknown): text is string {
  return typeof text === 'string' && TRACEPARENT.test(text);
}

/** Of one that is a traceparent. */
export function traceIdOf(traceparent: string): string {
  return traceparent.slice(3, 35);
}

export function taskAttributes({ id, attempt, spec }: Pick<Task, 'id' | 'attempt' | 'spec'>) {
  return {
    'cloudai.task_id': id,
    'cloudai.attempt': attempt,
    'cloudai.image': spec.image,
    'cloudai.tag': spec.tag,
  };
}
