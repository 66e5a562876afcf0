// What stores keep of a placed task beside its record, so that a scheduler need not read the records of all. Pure.

import type { Resources } from './resources.ts';
import { currentAttempt, type Task } from './task.ts';
import { isPlaced } from './task-states.ts';

/** What a placed task holds of its worker. */
export interface Allocation {
  readonly taskId: string;
  readonly ownerId: string;
  readonly workerId: string;
  readonly priority: number;
  readonly attempt: number;
  readonly state: 'assigned' | 'running';
  readonly resources: Resources;
  /** As its attempt has them; empty when it needs none, and when they are not known. */
  readonly gpuIds: readonly string[];
  readonly assignedAt: number;
  /** It has been told to leave its worker, or is to be cancelled. */
  readonly isLeaving: boolean;
}

/** The devices of the attempt that is placed now; none when it needs none, or none is placed. */
export function heldGpuIds(task: Task): readonly string[] {
  if (!isPlaced(task.state) || task.spec.resources.gpus === 0) return [];
  return currentAttempt(task)?.gpuIds ?? [];
}

/** Whether a placed task has been told to leave its worker, or is to be cancelled. */
export function isLeaving(task: Task): boolean {
  return isPlaced(task.state) && (task.cancel !== null || (currentAttempt(task)?.eviction ?? null) !== null);
}
