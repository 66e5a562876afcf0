// Which state may follow which. Everything that moves a task goes through `task-life.ts`, which asks here.
//
//            ┌────────── retry due, worker lost, evicted ─────────┐
//            ▼                                                    │
//   ●──► queued ───────────► assigned ───────────► running ───────┤
//            │                  │  │                  │           │
//            │ cancel           │  └── start error ───┼──► failed │
//            ▼                  ▼                     ▼      ▲    │
//        cancelled ◄──── cancelled ◄──────────── cancelled   │    │
//            queued for too long ────────────────────────────┘    │
//                               └──── worker lost, evicted ───────┘
//                                            running ──► completed

import type { TaskState } from './task.ts';

const NEXT: Readonly<Record<TaskState, readonly TaskState[]>> = {
  queued: ['assigned', 'cancelled', 'failed'],
  assigned: ['running', 'failed', 'cancelled', 'queued'],
  running: ['completed', 'failed', 'cancelled', 'queued'],
  completed: [],
  failed: [],
  cancelled: [],
};

export const TERMINAL_STATES = ['completed', 'failed', 'cancelled'] as const satisfies readonly TaskState[];
export const UNFINISHED_STATES = ['queued', 'assigned', 'running'] as const satisfies readonly TaskState[];
/** States in which a task holds resources of a worker. */
export const PLACED_STATES = ['assigned', 'running'] as const satisfies readonly TaskState[];

export function canFollow(from: TaskState, to: TaskState): boolean {
  return NEXT[from].includes(to);
}

export function isTerminal(state: TaskState): boolean {
  return NEXT[state].length === 0;
}

export function isPlaced(state: TaskState): boolean {
  return state === 'assigned' || state === 'running';
}
