// States in words and colours for a terminal. Pure.

import picocolors from 'picocolors';
import type { TaskBody } from '../shared/contracts/http.ts';

/** Why a task ended as it did, short: `exit 3`, `oom_killed`; empty when there is nothing to say. */
export function shortReason(task: TaskBody): string {
  if (task.reason === 'exit_code') return `exit ${task.exit_code}`;
  return task.reason ?? (task.cancel_requested && task.status !== 'cancelled' ? 'cancelling' : '');
}

/** When a worker in this state, of which no heartbeat is known, was last seen. */
export function unseen(state: string): 'never' | 'lost' | 'unknown' {
  if (state === 'unreachable') return 'never';
  // Of one that is up nobody can tell while Redis is away.
  return state === 'down' ? 'lost' : 'unknown';
}

export type Paint = (text: string) => string;

const COLORS = {
  queued: 'yellow',
  assigned: 'cyan',
  running: 'cyan',
  completed: 'green',
  failed: 'red',
  cancelled: 'gray',
  lost: 'red',
  evicted: 'yellow',
  ready: 'green',
  cordoned: 'yellow',
  draining: 'yellow',
  unhealthy: 'red',
  down: 'red',
  unreachable: 'red',
  pending: 'yellow',
  delivered: 'green',
} as const;

/** Colours the name of a state of a task, a worker or a delivery. */
export function paintState(state: string, color: boolean): Paint {
  const name = Object.hasOwn(COLORS, state) ? COLORS[state as keyof typeof COLORS] : null;
  return name === null ? (text) => text : picocolors.createColors(color)[name];
}
