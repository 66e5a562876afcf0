// Why a task waits, or where it stands: per worker, per dimension, and in words. Pure, and by the same rule that
// places (fit.ts), so that the answer is what will happen.

import { type Resources, shortfalls } from '../../shared/model/resources.ts';
import type { Task } from '../../shared/model/task.ts';
import { isTerminal } from '../../shared/model/task-states.ts';
import type { Worker } from '../../shared/model/worker.ts';
import { describeFree, describeHave, describeNeed, describeSpan, joinWords } from './amounts.ts';
import { distance, judge, type Verdict, viewWorkers } from './fit.ts';
import type { Holding, WorkerView } from './snapshot.ts';
import { suggestChange } from './suggest.ts';

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
  const why = describeWaiting(task, verdicts, ahead, now);
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

function describeWaiting(task: Task, verdicts: readonly Verdict[], ahead: number, now: number): string {
  const { resources: need, worker: target } = task.spec;
  if (task.notBefore > now) {
    const why = task.message ? ` (${task.message})` : '';
    return `Waits ${describeSpan(task.notBefore - now)} before attempt ${task.attempt}${why}.`;
  }
  const roomy = verdicts.find(({ fitsNow }) => fitsNow);
  if (roomy) {
    const [before, go] = ahead === 1 ? ['1 task', 'goes'] : [`${ahead} tasks`, 'go'];
    return ahead === 0
      ? `Next in line: it fits on ${roomy.worker.id} and is about to be placed.`
      : `In line: it fits on ${roomy.worker.id} now, and ${before} ${go} before it.`;
  }
  return describeLack(need, target, verdicts);
}

/** Why something that fits nowhere now waits, as a sentence. One verdict for each worker of the cluster. */
export function describeLack(need: Resources, target: string | null, verdicts: readonly Verdict[]): string {
  if (verdicts.length === 0 && target === null) return 'Waits: no workers have joined yet.';
  const allowed = verdicts.filter(({ excludedBy }) => excludedBy !== 'other_worker_requested');
  if (allowed.length === 0) {
    return `Waits for ${target}, the only worker it may run on, which is not part of the cluster.`;
  }
  if (!allowed.some(({ fitsWhenEmpty }) => fitsWhenEmpty)) return describeTooLarge(need, target, allowed);
  const open = allowed.filter(({ excludedBy }) => excludedBy === null);
  const home = open.filter(({ fitsWhenEmpty }) => fitsWhenEmpty);
  if (home.length === 0) return describeClosed(target, allowed, open.length > 0);
  const best = leastMissing(home, ({ worker }) => worker.free, need);
  const { worker, missing } = best;
  const who =
    target !== null
      ? `${worker.id}, the only worker it may run on,`
      : verdicts.length === 1
        ? `the only worker (${worker.id})`
        : `the best worker (${worker.id})`;
  return `Waits: needs ${describeNeed(missing)}, ${who} has ${describeFree(missing, worker.capacity)}.`;
}

function describeTooLarge(need: Resources, target: string | null, allowed: readonly Verdict[]): string {
  const best = leastMissing(allowed, ({ worker }) => worker.capacity, need);
  const missing = shortfalls(need, best.worker.capacity);
  const needs = `needs ${describeNeed(missing)}`;
  if (target !== null) {
    return `${target}, the only worker it may run on, is not large enough: ${needs}, it has ${describeHave(missing)}.`;
  }
  return (
    `No worker of the cluster is large enough: ${needs}, the largest (${best.worker.id}) has ` +
    `${describeHave(missing)}; it will start when such a worker joins.`
  );
}

function describeClosed(target: string | null, allowed: readonly Verdict[], someOpen: boolean): string {
  const large = allowed.filter(({ fitsWhenEmpty }) => fitsWhenEmpty).map(({ worker }) => worker);
  const [first] = large;
  if (target !== null && first)
    return `Waits for ${target}, the only worker it may run on, which is ${first.state}.`;
  const shown = large.slice(0, 3).map(({ id, state }) => `${id} is ${state}`);
  if (large.length > shown.length) shown.push(`${large.length - shown.length} more are not ready either`);
  const which = someOpen ? 'Waits: no worker that is large enough is ready' : 'Waits: no worker is ready';
  return `${which} (${joinWords(shown)}).`;
}

function leastMissing(
  verdicts: readonly Verdict[],
  room: (verdict: Verdict) => Resources,
  need: Resources,
): Verdict {
  return verdicts.reduce((best, one) =>
    distance(shortfalls(need, room(one))) < distance(shortfalls(need, room(best))) ? one : best,
  );
}

export type { Holding, Verdict, WorkerView };
