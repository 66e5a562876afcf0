// Why wished-for tasks would wait, or where they would go, in words. Pure, and from the same judgement as explain.

import { fits, type Resources } from '../../shared/model/resources.ts';
import { isFeasible } from './explain.ts';
import { judge } from './fit.ts';
import type { WaitReason, WorkerView } from './snapshot.ts';
import { suggestChange } from './suggest.ts';
import { lackOf } from './wait-reason.ts';

interface Asked {
  readonly need: Resources;
  readonly worker: string | null;
}

export interface Lack {
  readonly isFeasible: boolean;
  /** Where it is known without the plan. */
  readonly reason: WaitReason | null;
  /** Begins with `Waits` when it is feasible. */
  readonly sentence: string;
  readonly suggestion: string | null;
}

/** @param views as they are when all that fits has been placed */
export function explainLack({ need, worker: target }: Asked, views: readonly WorkerView[]): Lack {
  const verdicts = views.map((view) => judge(need, target, view));
  const roomy = verdicts.find(({ fitsNow }) => fitsNow);
  if (roomy) {
    const sentence = `Waits: ${roomy.worker.id} has room, but is kept free for a task that has waited longer.`;
    return { isFeasible: true, reason: null, sentence, suggestion: null };
  }
  const feasible = isFeasible(verdicts);
  return {
    isFeasible: feasible,
    reason: feasible ? null : reasonOfNever(target, views),
    sentence: lackOf(need, target, views).sentence,
    suggestion: suggestChange(need, target, verdicts),
  };
}

/** The same without a look at every dimension of every worker. */
export function lackInShort({ need, worker: target }: Asked, views: readonly WorkerView[]): Lack {
  const allowed = target === null ? views : views.filter(({ id }) => id === target);
  const feasible = allowed.some(({ capacity }) => fits(need, capacity));
  return {
    isFeasible: feasible,
    reason: feasible ? null : reasonOfNever(target, views),
    sentence: feasible
      ? 'Waits: no worker has room for it now.'
      : 'No worker of the cluster is large enough.',
    suggestion: null,
  };
}

function reasonOfNever(target: string | null, views: readonly WorkerView[]): WaitReason {
  if (target !== null && !views.some(({ id }) => id === target)) return 'worker_unknown';
  return views.length === 0 ? 'no_ready_worker' : 'too_large';
}

/** When all go now. */
export function describeNow(count: number, workers: readonly { readonly workerId: string }[]): string {
  const [first] = workers;
  if (!first) return '';
  const where = workers.length === 1 ? first.workerId : `${workers.length} workers`;
  return `${count === 1 ? 'Would' : `All ${count} would`} be placed now, on ${where}.`;
}

/** When some or none do. */
export function describeRest(count: number, placed: number, lack: Lack): string {
  const { sentence, suggestion } = lack;
  const why =
    count === 1 || !lack.isFeasible
      ? sentence
      : `${placed === 0 ? `None of ${count}` : `${placed} of ${count}`} would be placed now. The ` +
        `${placed === 0 ? 'first' : 'next'} one ${sentence.charAt(0).toLowerCase()}${sentence.slice(1)}`;
  return suggestion === null ? why : `${why} ${suggestion}`;
}
