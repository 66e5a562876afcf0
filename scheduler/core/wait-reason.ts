// Why something waits, as a code and as a sentence, by the rule that places (fit.ts). Pure, and one look at each worker
// for each size of task, so that thousands of waiting tasks can be told at a time. It must never place.

import { fits, type Resources, shortfalls } from '../../shared/model/resources.ts';
import { describeFree, describeHave, describeNeed, describeSpan, joinWords } from './amounts.ts';
import { distanceTo } from './fit.ts';
import type { WorkerView } from './snapshot.ts';

/** Why it fits nowhere now. */
export type LackCode = 'no_workers' | 'worker_missing' | 'never' | 'not_ready' | 'no_room';
export type WaitCode = 'next' | 'behind' | 'retry_delay' | LackCode;

export interface Lack {
  readonly code: LackCode;
  readonly sentence: string;
}

/** What the workers have for tasks of one size and direct assignment. */
export type Prospect = { readonly code: 'fits'; readonly workerId: string } | Lack;

export interface Waiter {
  readonly attempt: number;
  /** Why it waits again. */
  readonly message: string | null;
  readonly notBefore: number;
}

/** @param workers all of the cluster, in order of id */
export function prospectOf(need: Resources, target: string | null, workers: readonly WorkerView[]): Prospect {
  const roomy = workers.find(
    ({ id, state, free }) => state === 'ready' && (target === null || target === id) && fits(need, free),
  );
  return roomy ? { code: 'fits', workerId: roomy.id } : lackOf(need, target, workers);
}

/** @param ahead how many waiting tasks go before it */
export function waitOf(
  task: Waiter,
  prospect: Prospect,
  ahead: number,
  now: number,
): { readonly reason: WaitCode; readonly summary: string } {
  if (task.notBefore > now) {
    const why = task.message ? ` (${task.message})` : '';
    const span = describeSpan(task.notBefore - now);
    return { reason: 'retry_delay', summary: `Waits ${span} before attempt ${task.attempt}${why}.` };
  }
  if (prospect.code !== 'fits') return { reason: prospect.code, summary: prospect.sentence };
  const { workerId } = prospect;
  if (ahead === 0) {
    return { reason: 'next', summary: `Next in line: it fits on ${workerId} and is about to be placed.` };
  }
  const [before, go] = ahead === 1 ? ['1 task', 'goes'] : [`${ahead} tasks`, 'go'];
  return {
    reason: 'behind',
    summary: `In line: it fits on ${workerId} now, and ${before} ${go} before it.`,
  };
}

/** Why something that fits nowhere now waits. */
export function lackOf(need: Resources, target: string | null, workers: readonly WorkerView[]): Lack {
  if (workers.length === 0 && target === null) {
    return { code: 'no_workers', sentence: 'Waits: no workers have joined yet.' };
  }
  const allowed = target === null ? workers : workers.filter(({ id }) => id === target);
  const [first] = allowed;
  if (!first) {
    const sentence = `Waits for ${target}, the only worker it may run on, which is not part of the cluster.`;
    return { code: 'worker_missing', sentence };
  }
  const large = allowed.filter(({ capacity }) => fits(need, capacity));
  if (large.length === 0) return { code: 'never', sentence: describeTooLarge(need, target, allowed) };
  const home = large.filter(({ state }) => state === 'ready');
  const best = leastMissing(home, ({ free }) => free, need);
  if (!best) {
    const someReady = allowed.some(({ state }) => state === 'ready');
    return { code: 'not_ready', sentence: describeClosed(target, large, someReady) };
  }
  const missing = shortfalls(need, best.free);
  const who =
    target !== null
      ? `${best.id}, the only worker it may run on,`
      : workers.length === 1
        ? `the only worker (${best.id})`
        : `the best worker (${best.id})`;
  return {
    code: 'no_room',
    sentence: `Waits: needs ${describeNeed(missing)}, ${who} has ${describeFree(missing, best.capacity)}.`,
  };
}

function describeTooLarge(need: Resources, target: string | null, allowed: readonly WorkerView[]): string {
  const best = leastMissing(allowed, ({ capacity }) => capacity, need);
  const missing = best ? shortfalls(need, best.capacity) : [];
  const needs = `needs ${describeNeed(missing)}`;
  if (target !== null) {
    return `${target}, the only worker it may run on, is not large enough: ${needs}, it has ${describeHave(missing)}.`;
  }
  return (
    `No worker of the cluster is large enough: ${needs}, the largest (${best?.id}) has ` +
    `${describeHave(missing)}; it will start when such a worker joins.`
  );
}

function describeClosed(target: string | null, large: readonly WorkerView[], someReady: boolean): string {
  const [first] = large;
  if (target !== null && first)
    return `Waits for ${target}, the only worker it may run on, which is ${first.state}.`;
  const shown = large.slice(0, 3).map(({ id, state }) => `${id} is ${state}`);
  if (large.length > shown.length) shown.push(`${large.length - shown.length} more are not ready either`);
  const which = someReady ? 'Waits: no worker that is large enough is ready' : 'Waits: no worker is ready';
  return `${which} (${joinWords(shown)}).`;
}

function leastMissing(
  workers: readonly WorkerView[],
  room: (worker: WorkerView) => Resources,
  need: Resources,
): WorkerView | null {
  let best: WorkerView | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const worker of workers) {
    const far = distanceTo(need, room(worker));
    if (far < least) [best, least] = [worker, far];
  }
  return best;
}
