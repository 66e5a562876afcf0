// Why a task waits, or where it stands: per worker, per dimension, and in words. Pure, and by the same rule that
// places (fit.ts), so that the answer is what will happen.

import type { Task } from '../../shared/model/task.ts';
import { isTerminal } from '../../shared/model/task-states.ts';
import type { Worker } from '../../shared/model/worker.ts';
import { judge, type Verdict, viewWorkers } from './fit.ts';
import type { Holding, WorkerView } from './snapshot.ts';
import { suggestChange } from './suggest.ts';
import { prospectOf, waitOf } from './wait-reason.ts';

export interface Explanation {
  /** One or two sentences for a person, the suggestion included. */
  readonly summary: string;
  /** The smallest change with which it could start now, as a sentence; null when there is none or no need. */
  readonly suggestion: string | null;
  /** Place among the waiting tasks, 1 is next; null when it does not wait. */
  readonly position: number | null;
  /** False when no worker of the cluster could run it even when empty; null when it does not wait. */
  readonly feasible: boolean | null;
  /** True when the next plan would place it if it were alone; null when it does not wait. */
  readonly fitsNow: boolean | null;
  /** One for each worker, in order of id; empty when the task does not wait. */
  readonly workers: readonly Verdict[];
}

/**
 * @param holdings what all assigned and running tasks hold
 * @param ahead how many waiting tasks go before this one
 * @param now milliseconds since the epoch
 */
export function explain(
  task: Task,
  workers: readonly Worker[],
  holdings: Iterable<Holding>,
  ahead: number,
  now: number,
): Explanation {
  if (task.state !== 'queued') {
    return {
      summary: describeNotWaiting(task),
      suggestion: null,
      position: null,
      feasible: null,
      fitsNow: null,
      workers: [],
    };
  }
  const { resources: need, worker: target } = task.spec;
  const verdicts = viewWorkers(workers, holdings).map((worker) => judge(need, target, worker));
  const fitsNow = task.notBefore <= now && verdicts.some((verdict) => verdict.fitsNow);
  const suggestion = task.notBefore > now || fitsNow ? null : suggestChange(need, target, verdicts);
  const views = verdicts.map(({ worker }) => worker);
  const why = waitOf(task, prospectOf(need, target, views), ahead, now).summary;
  return {
    summary: suggestion === null ? why : `${why} ${suggestion}`,
    suggestion,
    position: ahead + 1,
    feasible: isFeasible(verdicts),
    fitsNow,
    workers: verdicts,
  };
}

/** True when some worker could run it if nothing else ran there. */
export function isFeasible(verdicts: readonly Verdict[]): boolean {
  return verdicts.some(
    ({ excludedBy, fitsWhenEmpty }) => fitsWhenEmpty && excludedBy !== 'other_worker_requested',
  );
}

function describeNotWaiting(task: Task): string {
  const on = task.workerId === null ? '' : ` on ${task.workerId}`;
  const because = task.message === null || task.message === '' ? '' : `: ${task.message.replace(/\.$/, '')}`;
  if (!isTerminal(task.state) && task.cancel) {
    return `Is being cancelled${on}: it ends once its container is gone.`;
  }
  switch (task.state) {
    case 'assigned':
      return `Given to ${task.workerId} (attempt ${task.attempt}), which prepares to start it.`;
    case 'running':
      return `Runs${on} (attempt ${task.attempt}).`;
    case 'completed':
      return `Completed${on}.`;
    case 'failed':
      return `Failed${on}${because || `: ${task.reason ?? 'for no known reason'}`}.`;
    default:
      return `Was cancelled${because}.`;
  }
}

export type { Holding, Verdict, WorkerView };
