// What a scheduler says of itself, in one line for a terminal. The dashboard has words of its own, with room for help. Pure.

import type { SchedulerBody } from '../shared/contracts/workers.ts';
import { duration } from './words.ts';

/** Names that are told before the rest is counted. */
const NAMED = 3;

/** `best-fit, preemption; worker-1 is kept free for a task that has waited long`. */
export function schedulerWords(scheduler: SchedulerBody | null, now: number): string {
  if (scheduler === null) return 'no scheduler has told of itself lately';
  const { policy, preemption, reservations, leading, at } = scheduler;
  return [
    `${policy}${preemption ? ', preemption' : ''}`,
    ...(reservations.length === 0 ? [] : [keptWords(reservations.map(({ worker_id }) => worker_id))]),
    ...(leading ? [] : [`no word from the scheduler for ${duration(now - Date.parse(at))}`]),
  ].join('; ');
}

function keptWords(workers: readonly string[]): string {
  const more = workers.length - NAMED;
  const names = `${workers.slice(0, NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  return workers.length === 1
    ? `${names} is kept free for a task that has waited long`
    : `${names} are kept free for tasks that have waited long`;
}
