// States in words and colours for a terminal. Pure.

import type { TaskBody } from '../shared/contracts/http.ts';

/** Why a task ended as it did, short: `exit 3`, `oom_killed`; empty when there is nothing to say. */
export function shortReason(task: TaskBody): string {
  if (task.reason === 'exit_code') return `exit ${task.exit_code}`;
  return task.reason ?? (task.cancel_requested && task.status !== 'cancelled' ? 'cancelling' : '');
}

export type Paint = (text: string) => string;

const COLORS: Readonly<Record<string, number>> = {
  queued: 33,
  assigned: 36,
  running: 36,
  completed: 32,
  failed: 31,
  cancelled: 90,
  lost: 31,
  ready: 32,
  cordoned: 33,
  draining: 33,
  down: 31,
  unreachable: 31,
  pending: 33,
  delivered: 32,
};

/** Colours the name of a state of a task, a worker or a delivery. */
export function paintState(state: string, color: boolean): Paint {
  const code = COLORS[state];
  return color && code ? (text) => `\x1b[${code}m${text}\x1b[0m` : (text) => text;
}
