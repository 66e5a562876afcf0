// What other workers left on this worker's engine, and what of it may go: a worker that has come back under another name
// finds what it left under the old one. Pure. Must never judge by a name alone: several runners may share an engine, and so
// may several clusters.
//
//   worker of the thing      its task              the thing
//   up, or down for less     any                   stays: its own runner sees to it
//   gone for long            asks for it           stays: the scheduler has the last word
//                            is over, moved on     goes
//                            unknown here          stays: perhaps another cluster's
//   gone for long, a slot    none                  goes if this cluster knew the worker and nothing unknown bears its name

import type { Stray } from '../../shared/model/stray.ts';
import type { Task } from '../../shared/model/task.ts';
import type { Worker } from '../../shared/model/worker.ts';
import { isWanted } from './next-step.ts';

/** A worker that no longer is. */
export interface Gone {
  /** As what it is gone: a worker that was up in between is gone anew. */
  readonly as: string;
  /** Monotonic milliseconds. */
  readonly since: number;
}

/**
 * Which of the workers whose things were seen are gone, and since when that is so at every look. What was noted of others
 * is forgotten. A worker without a record was removed, has never joined, or is another cluster's.
 */
export function goneWorkers(
  strays: readonly Stray[],
  records: ReadonlyMap<string, Pick<Worker, 'liveness' | 'livenessAt'>>,
  before: ReadonlyMap<string, Gone>,
  now: number,
): Map<string, Gone> {
  const gone = new Map<string, Gone>();
  for (const { workerId } of strays) {
    const record = records.get(workerId);
    if (record?.liveness === 'up') continue;
    const as = record ? `down at ${record.livenessAt}` : 'not on record';
    const noted = before.get(workerId);
    gone.set(workerId, noted?.as === as ? noted : { as, since: now });
  }
  return gone;
}

/** Why something of a worker that is gone stays. */
export type WhyLeft = 'unknown_task' | 'unknown_worker';

interface StrayVerdict {
  readonly remove: readonly Stray[];
  /** For a person to look at. */
  readonly left: readonly { readonly stray: Stray; readonly why: WhyLeft }[];
}

/**
 * @param strays of workers that are gone for long
 * @param tasks those of them that the store knows
 * @param known workers that this cluster has, or had
 */
export function judgeStrays(
  strays: readonly Stray[],
  tasks: ReadonlyMap<string, Task>,
  known: ReadonlySet<string>,
): StrayVerdict {
  const unknownTask = (stray: Stray) => stray.of !== null && !tasks.has(stray.of.taskId);
  // A name that another cluster's worker has, too.
  const doubtful = new Set(strays.filter(unknownTask).map(({ workerId }) => workerId));
  const remove: Stray[] = [];
  const left: { stray: Stray; why: WhyLeft }[] = [];
  for (const stray of strays) {
    const { of, workerId } = stray;
    if (of === null) {
      if (known.has(workerId) && !doubtful.has(workerId)) remove.push(stray);
      else left.push({ stray, why: 'unknown_worker' });
      continue;
    }
    const task = tasks.get(of.taskId);
    if (!task) left.push({ stray, why: 'unknown_task' });
    else if (!isWanted(task, { ...of, workerId })) remove.push(stray);
  }
  return { remove, left };
}
